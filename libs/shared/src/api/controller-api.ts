/** Made from the code by `npm run generate`. */
export interface paths {
    "/api/v1/rollouts": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Starts a rollout, or registers a model (a file without canary). The same file twice acts once.
         * @description Other than with dryRun it needs the role operate. Needs the role read.
         */
        post: operations["applyRollout"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/models": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * All models, each with its last decision and its newest verdict.
         * @description Needs the role read.
         */
        get: operations["listModels"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/models/{model}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * A model: its whole state and the newest verdict.
         * @description Needs the role read.
         */
        get: operations["getModel"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/models/{model}/history": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * What was decided about a model and why, oldest first.
         * @description Needs the role read.
         */
        get: operations["getHistory"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/models/{model}/windows": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Traffic, errors, labels and latency of each version over time.
         * @description Needs the role read.
         */
        get: operations["getWindows"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/models/{model}/promote": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Goes on to the next step now: ends a pause, or does not wait for the verdict.
         * @description Needs the role operate.
         */
        post: operations["promote"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/models/{model}/promote-full": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Skips the remaining steps: the canary becomes stable and gets all traffic.
         * @description Needs the role admin.
         */
        post: operations["promoteFully"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/models/{model}/pause": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Stops at the present weights; a fail still rolls back.
         * @description Needs the role operate.
         */
        post: operations["pause"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/models/{model}/resume": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Ends a pause.
         * @description Needs the role operate.
         */
        post: operations["resume"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/models/{model}/abort": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Ends the rollout: stable gets all traffic at once.
         * @description Needs the role operate.
         */
        post: operations["abort"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/models/{model}/retry": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Tries again what was rolled back or aborted: a new rollout by the same file.
         * @description Needs the role operate.
         */
        post: operations["retry"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/models/{model}/undo": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * After a promotion: the version that was stable before gets all traffic again.
         * @description Needs the role operate.
         */
        post: operations["undo"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/models/{model}/traffic": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /**
         * Sets the weights by hand, while no rollout is open.
         * @description Needs the role admin.
         */
        put: operations["setTraffic"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/labels": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Writes the truth about predictions to prediction-label: one label, a list, or {labels}.
         * @description Needs the role operate.
         */
        post: operations["sendLabels"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Decisions, verdicts and states of models as they come, as server-sent events.
         * @description Events are named decision, verdict or state (without its decisions; null once the model is no more), with the record as their data; or reset: what was missed cannot be told, read everything anew. Needs the role read.
         */
        get: operations["followEvents"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/me": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The name and the role of whoever asks.
         * @description Needs the role read.
         */
        get: operations["whoAmI"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/models/{model}/rollouts": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * The rollouts of a model that are still known.
         * @description Needs the role read.
         */
        get: operations["listRollouts"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/models/{model}/rollouts/{rollout}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * One rollout, open or over: its file, how it stands or ended, its decisions.
         * @description Needs the role read.
         */
        get: operations["getRollout"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/models/{model}/rollouts/{rollout}/verdicts": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * How its verdicts developed: differences with their intervals, limits and evidence over time.
         * @description Needs the role read.
         */
        get: operations["getVerdictSeries"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/fleet": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * All models, one short line each: what a list of many shows.
         * @description Needs the role read.
         */
        get: operations["listFleet"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/fleet/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Lines that changed, once a second, as server-sent events.
         * @description Events are named fleet, with a FleetChange as their data; or reset: what was missed cannot be told, read everything anew. With Last-Event-ID it begins with the lines that have changed since. Needs the role read.
         */
        get: operations["followFleet"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/console": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * What the console has to know before it shows anything.
         * @description Needs the role read.
         */
        get: operations["getConsole"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/health/live": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Whether the process answers. Not off because Kafka or Redis is away. */
        get: operations["isLive"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/health/ready": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Whether to send requests here. */
        get: operations["isReady"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/metrics": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Metrics for Prometheus. */
        get: operations["getMetrics"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        ReasonBody: {
            /**
             * @description Why, for those who read the history later.
             * @example checked by hand
             */
            reason?: string;
        };
        AbortBody: {
            /**
             * @description Why, for those who read the history later.
             * @example checked by hand
             */
            reason: string;
        };
        TrafficBody: {
            /**
             * @description Why, for those who read the history later.
             * @example checked by hand
             */
            reason?: string;
            /**
             * @description Fractions that sum to 1 over known versions; those not named get nothing.
             * @example {
             *       "v1": 0.9,
             *       "v2": 0.1
             *     }
             */
            weights: {
                [key: string]: number;
            };
        };
        Problem: {
            /** @description urn:model-canary:problem:<code> */
            type: string;
            title: string;
            status: number;
            /** @description What is wrong and the remedy. */
            detail: string;
            /** @description Stable, kebab-case. */
            code: string;
            errors: components["schemas"]["FieldProblem"][];
        };
        FieldProblem: {
            /** @description Where: a dotted path such as steps.0.traffic_split; empty for the whole. */
            field: string;
            /** @description Stable, kebab-case. */
            code: string;
            /** @description What is wrong and the remedy, one sentence. */
            message: string;
            /** @description Where in the text, when the body was text. */
            line?: number;
            column?: number;
        };
        Me: {
            name: string;
            /** @enum {string} */
            role: "read" | "operate" | "admin";
            /**
             * @description How that is known; nobody: this controller asks for no token.
             * @enum {string}
             */
            by: "token" | "oidc" | "nobody";
        };
        ModelView: {
            state: components["schemas"]["RolloutState"];
            verdict: components["schemas"]["Verdict"] | null;
        };
        ModelList: {
            models: components["schemas"]["ModelView"][];
        };
        History: {
            model: string;
            decisions: components["schemas"]["Decision"][];
        };
        Windows: {
            model: string;
            windows: components["schemas"]["Window"][];
        };
        Window: {
            /** @description Since the epoch. */
            startMs: number;
            /** @description Of this window. */
            durationMs: number;
            versions: {
                [key: string]: components["schemas"]["VersionFigures"];
            };
        };
        VersionFigures: {
            routed: number;
            errors: number;
            labelled: number;
            right: number;
            latencyMs: {
                p50: number | null;
                p95: number | null;
                p99: number | null;
            };
            /** @description How long after their predictions the labels came. */
            labelDelayMs: {
                p50: number | null;
                p95: number | null;
            };
        };
        CommandDone: {
            result: components["schemas"]["CommandResult"];
            /** @description Those it caused, oldest first; empty where nothing was left to do. */
            decisions: components["schemas"]["Decision"][];
            state: components["schemas"]["RolloutState"];
        };
        CommandResult: {
            commandId: string;
            /** @enum {string} */
            result: "applied" | "refused";
            reason?: {
                code: string;
                text: string;
            };
            sequence: number;
        };
        Applied: {
            model: string;
            /** @description Null for a file that only registers a model. */
            rollout: string | null;
            dryRun: boolean;
            /** @description False: the same rollout was open already, or the model stood like that already. */
            changed: boolean;
            spec: components["schemas"]["RolloutSpec"];
            warnings: components["schemas"]["FieldProblem"][];
            estimate: components["schemas"]["DurationEstimate"] | null;
            decisions: components["schemas"]["Decision"][];
            state: components["schemas"]["RolloutState"] | null;
        };
        DurationEstimate: {
            predictionsPerSecond: number;
            totalMs: number | null;
            waitsForPerson: boolean;
            steps: components["schemas"]["StepEstimate"][];
            warnings: components["schemas"]["FieldProblem"][];
        };
        StepEstimate: {
            /** @description Index into spec.steps. */
            step: number;
            durationMs: number | null;
            /** @enum {string} */
            waitsFor: "evidence" | "labels" | "predictions" | "minimum" | "pause" | "person" | "traffic";
            check?: string;
        };
        LabelsAccepted: {
            accepted: number;
        };
        LabelList: {
            labels: components["schemas"]["Label"][];
        };
        Label: {
            /** @constant */
            kind?: "label";
            predictionId: string;
            label: string | number | boolean;
            values?: {
                [key: string]: number;
            };
            occurredAt?: number;
        };
        RolloutFile: {
            model: string;
            stable: {
                version: string;
                url: string;
                deadline?: string;
                maxConcurrency?: number;
            };
            canary?: {
                version: string;
                url: string;
                deadline?: string;
                maxConcurrency?: number;
            };
            prediction?: {
                pointer: string;
                /** @enum {string} */
                kind?: "class" | "number";
                tolerance?: number;
            };
            warmup?: {
                predictions?: number;
                duration?: string;
            };
            steps?: {
                traffic_split?: components["schemas"]["TrafficSplit"];
                shadow?: {
                    fraction: number;
                };
                pause?: null | {
                    duration?: string;
                };
                atLeast?: {
                    predictions?: number;
                    duration?: string;
                };
                atMost?: {
                    duration: string;
                };
            }[];
            checks?: {
                errorRate?: {
                    maxIncrease?: number;
                    max?: number;
                    strict?: boolean;
                } | ("off" | false);
                accuracy?: {
                    maxDrop?: number;
                    labelsWithin?: string;
                    strict?: boolean;
                } | ("off" | false);
                latency?: {
                    p50?: {
                        maxRatio?: number | ("off" | false);
                        maxMs?: number;
                        minIncreaseMs?: number;
                    } | ("off" | false);
                    p95?: {
                        maxRatio?: number | ("off" | false);
                        maxMs?: number;
                        minIncreaseMs?: number;
                    } | ("off" | false);
                    p99?: {
                        maxRatio?: number | ("off" | false);
                        maxMs?: number;
                        minIncreaseMs?: number;
                    } | ("off" | false);
                    strict?: boolean;
                } | ("off" | false);
                firstByte?: {
                    p50?: {
                        maxRatio?: number | ("off" | false);
                        maxMs?: number;
                        minIncreaseMs?: number;
                    } | ("off" | false);
                    p95?: {
                        maxRatio?: number | ("off" | false);
                        maxMs?: number;
                        minIncreaseMs?: number;
                    } | ("off" | false);
                    p99?: {
                        maxRatio?: number | ("off" | false);
                        maxMs?: number;
                        minIncreaseMs?: number;
                    } | ("off" | false);
                    strict?: boolean;
                } | ("off" | false);
                custom?: {
                    [key: string]: {
                        pointer?: string;
                        /** @enum {string} */
                        from?: "answer" | "label";
                        value?: string;
                        maxIncrease?: number;
                        maxDrop?: number;
                        minEffect?: number;
                    };
                };
                drift?: {
                    allowance?: number;
                } | "off" | false;
                shadow?: {
                    minAgreement?: number;
                    maxDrop?: number | ("off" | false);
                } | ("off" | false);
            };
            segments?: {
                header: string;
                top?: number;
            };
            /** @enum {string} */
            onInconclusive?: "pause" | "rollback";
            alpha?: number;
            beta?: number;
        };
        /** @description Fractions of the traffic by version, at most four decimals; they sum to 1. */
        TrafficSplit: {
            [key: string]: number;
        };
        RolloutSpec: {
            model: string;
            stable: {
                version: string;
                url: string;
                deadlineMs: number;
                maxConcurrency: number;
            };
            canary?: {
                version: string;
                url: string;
                deadlineMs: number;
                maxConcurrency: number;
            };
            prediction?: {
                pointer: string;
                /** @enum {string} */
                kind: "class" | "number";
                tolerance: number;
            };
            warmup: {
                predictions: number;
                durationMs: number;
            };
            steps: ({
                /** @constant */
                kind: "traffic";
                weights: {
                    [key: string]: number;
                };
                atLeast: {
                    predictions: number;
                    durationMs: number;
                };
                atMostMs?: number;
            } | {
                /** @constant */
                kind: "shadow";
                fraction: number;
                atLeast: {
                    predictions: number;
                    durationMs: number;
                };
                atMostMs?: number;
            } | {
                /** @constant */
                kind: "pause";
                durationMs?: number;
            })[];
            checks: {
                errorRate?: {
                    maxIncrease: number;
                    max: number;
                    strict: boolean;
                };
                accuracy?: {
                    maxDrop: number;
                    labelsWithinMs: number;
                    strict: boolean;
                };
                latency?: {
                    p50?: {
                        maxRatio?: number;
                        maxMs?: number;
                        minIncreaseMs: number;
                    };
                    p95?: {
                        maxRatio?: number;
                        maxMs?: number;
                        minIncreaseMs: number;
                    };
                    p99?: {
                        maxRatio?: number;
                        maxMs?: number;
                        minIncreaseMs: number;
                    };
                    strict: boolean;
                };
                firstByte?: {
                    p50?: {
                        maxRatio?: number;
                        maxMs?: number;
                        minIncreaseMs: number;
                    };
                    p95?: {
                        maxRatio?: number;
                        maxMs?: number;
                        minIncreaseMs: number;
                    };
                    p99?: {
                        maxRatio?: number;
                        maxMs?: number;
                        minIncreaseMs: number;
                    };
                    strict: boolean;
                };
                custom?: {
                    [key: string]: {
                        /** @enum {string} */
                        from: "answer" | "label";
                        source: string;
                        /** @enum {string} */
                        worse: "higher" | "lower";
                        limit: number;
                        minEffect: number;
                    };
                };
                drift?: {
                    allowance: number;
                };
                shadow?: {
                    minAgreement?: number;
                    maxDrop?: number;
                };
            };
            segments?: {
                header: string;
                top: number;
            };
            /** @enum {string} */
            onInconclusive: "pause" | "rollback";
            alpha: number;
            beta: number;
        };
        RolloutState: {
            /** @constant */
            schemaVersion: 1;
            model: string;
            sequence: number;
            generation: number;
            updatedAt: number;
            salt: string;
            stable: string;
            canary?: string;
            weights: {
                [key: string]: number;
            };
            versions: components["schemas"]["VersionStates"];
            shadow?: {
                version: string;
                fraction: number;
            };
            prediction?: {
                pointer: string;
                /** @enum {string} */
                kind: "class" | "number";
                tolerance: number;
            };
            rollout?: components["schemas"]["RolloutProgress"];
            rolloutCount: number;
            versionIndexMax: number;
            versionIndexes: {
                [key: string]: number;
            };
            decisions: components["schemas"]["Decision"][];
            commands: components["schemas"]["CommandResult"][];
        };
        RolloutProgress: {
            rollout: string;
            spec: components["schemas"]["RolloutSpec"];
            /** @enum {string} */
            status: "waiting-ready" | "progressing" | "paused" | "promoted" | "rolled-back" | "aborted";
            stable: string;
            canary: string;
            step: number;
            phases: components["schemas"]["Phase"][];
            startedAt: number;
            stepStartedAt: number;
            endedAt?: number;
            endedBySequence?: number;
            held?: {
                code: string;
                text: string;
                since: number;
            };
            pause?: {
                code: string;
                text: string;
                since: number;
                until?: number;
            };
            resumedAt?: number;
            appliedBy?: {
                commandId: string;
                actor: string;
                onBehalfOf?: string;
                reason: string;
            };
            lastVerdict?: {
                verdictId: string;
                cut: number;
                asOf: number;
                receivedAt: number;
            };
        };
        Phase: {
            sequence: number;
            generation: number;
            step: number;
            weights: {
                [key: string]: number;
            };
            bake: boolean;
            startedAt: number;
        };
        VersionState: {
            index: number;
            url: string;
            deadlineMs: number;
            maxConcurrency: number;
        };
        VersionStates: {
            [key: string]: components["schemas"]["VersionState"];
        };
        Decision: {
            /** @constant */
            schemaVersion: 1;
            decisionId: string;
            sequence: number;
            model: string;
            rollout?: string;
            /** @enum {string} */
            action: "registered" | "started" | "weight-changed" | "paused" | "resumed" | "promoted" | "rolled-back" | "aborted" | "undone" | "held" | "released";
            from: {
                [key: string]: number;
            };
            to: {
                [key: string]: number;
            };
            generation: number;
            phase?: string;
            step?: number;
            reason: components["schemas"]["DecisionReason"];
            cause: {
                /** @constant */
                kind: "verdict";
                verdictId: string;
            } | {
                /** @constant */
                kind: "command";
                commandId: string;
            } | {
                /** @constant */
                kind: "timer";
                timer: string;
            };
            actor: string;
            onBehalfOf?: string;
            at: number;
            safeToRemove: string[];
            spec?: components["schemas"]["RolloutSpec"];
            versions?: components["schemas"]["VersionStates"];
        };
        DecisionReason: {
            code: string;
            text: string;
            checks?: components["schemas"]["CheckResult"][];
        };
        Verdict: {
            /** @constant */
            kind: "verdict";
            /** @constant */
            schemaVersion: 1;
            verdictId: string;
            engineVersion: string;
            model: string;
            rollout: string;
            step: number;
            generation: number;
            /** @enum {string} */
            result: "pass" | "fail" | "continue" | "hold" | "invalid" | "inconclusive";
            reason: {
                code: string;
                text: string;
            };
            checks: components["schemas"]["CheckResult"][];
            evidence: {
                lnE: number;
                lnLimit: number;
            };
            asOf: number;
            counted: {
                stable: number;
                canary: number;
            };
            forecast: {
                predictionsToGo: number | null;
                minutesToGo: number | null;
            };
            cut: {
                owner: number;
                number: number;
                positions: {
                    outcome: number[];
                    label: number[];
                };
            };
            baseline?: unknown;
        };
        CheckResult: {
            check: string;
            segment?: string;
            gating: boolean;
            stable: components["schemas"]["ArmFigure"] | null;
            canary: components["schemas"]["ArmFigure"];
            difference: number | null;
            interval: [
                number,
                number
            ] | null;
            limit: number;
            /** @enum {string} */
            unit: "fraction" | "ms" | "number";
            evidence: {
                fail: number | null;
                pass: number | null;
            };
            /** @enum {string} */
            result: "pass" | "fail" | "continue" | "no-data";
            predictionsToGo: number | null;
        };
        ArmFigure: {
            n: number;
            bad: number;
            value: number | null;
        };
        Fleet: {
            models: components["schemas"]["FleetRow"][];
        };
        FleetRow: {
            model: string;
            stable: string;
            canary: string | null;
            /** @description Fractions by version, as they are set. */
            weights: {
                [key: string]: number;
            };
            shadow: {
                version: string;
                fraction: number;
            } | null;
            /** @description The open rollout, or the last one. */
            rollout: components["schemas"]["FleetRollout"] | null;
            /** @description The newest one about that rollout. */
            verdict: components["schemas"]["FleetVerdict"] | null;
            last: components["schemas"]["FleetDecision"] | null;
        };
        FleetRollout: {
            rollout: string;
            /** @enum {string} */
            status: "waiting-ready" | "progressing" | "paused" | "promoted" | "rolled-back" | "aborted";
            stable: string;
            canary: string;
            /** @description Index of the present step. */
            step: number;
            /** @description How many there are. */
            steps: number;
            /** @description Milliseconds since the epoch. */
            startedAt: number;
            /** @description Milliseconds since the epoch. */
            stepStartedAt: number;
            endedAt: number | null;
            held: {
                code: string;
                text: string;
                /** @description Milliseconds since the epoch. */
                since: number;
            } | null;
            pause: {
                code: string;
                text: string;
                /** @description Milliseconds since the epoch. */
                since: number;
                /** @description Milliseconds since the epoch. */
                until?: number;
            } | null;
        };
        FleetVerdict: {
            /** @enum {string} */
            result: "pass" | "fail" | "continue" | "hold" | "invalid" | "inconclusive";
            reason: {
                code: string;
                text: string;
            };
            asOf: number;
            counted: {
                stable: number;
                canary: number;
            };
            forecast: {
                predictionsToGo: number | null;
                minutesToGo: number | null;
            };
            /** @description The check with most evidence against the canary. */
            worst: components["schemas"]["CheckResult"] | null;
        };
        FleetDecision: {
            sequence: number;
            /** @enum {string} */
            action: "registered" | "started" | "weight-changed" | "paused" | "resumed" | "promoted" | "rolled-back" | "aborted" | "undone" | "held" | "released";
            /** @description Milliseconds since the epoch. */
            at: number;
            actor: string;
            reason: {
                code: string;
                text: string;
            };
        };
        FleetChange: {
            models: components["schemas"]["FleetRow"][];
            /** @description Models that are no more. */
            gone: string[];
        };
        RolloutList: {
            model: string;
            rollouts: components["schemas"]["RolloutLine"][];
        };
        RolloutLine: {
            rollout: string;
            /** @enum {string} */
            status: "waiting-ready" | "progressing" | "paused" | "promoted" | "rolled-back" | "aborted";
            stable: string | null;
            canary: string | null;
            /** @description Index of the last step it was in. */
            step: number;
            /** @description Milliseconds since the epoch. */
            startedAt: number;
            endedAt: number | null;
            /** @description Why it ended, or its last decision so far. */
            reason: string | null;
        };
        RolloutRecord: {
            rollout: string;
            /** @enum {string} */
            status: "waiting-ready" | "progressing" | "paused" | "promoted" | "rolled-back" | "aborted";
            stable: string | null;
            canary: string | null;
            /** @description Index of the last step it was in. */
            step: number;
            /** @description Milliseconds since the epoch. */
            startedAt: number;
            endedAt: number | null;
            /** @description Its file as it was understood; null where it never started, or that is too long ago. */
            spec: components["schemas"]["RolloutSpec"] | null;
            /** @description Those that are known, oldest first; an undo after its end is one of them. */
            decisions: components["schemas"]["Decision"][];
        };
        /** @description Column by column: every list has one entry for each time in `at`; null where a verdict does not have that check. */
        VerdictSeries: {
            model: string;
            rollout: string;
            at: number[];
            step: number[];
            result: ("pass" | "fail" | "continue" | "hold" | "invalid" | "inconclusive")[];
            code: string[];
            lnE: number[];
            lnLimit: number[];
            stable: number[];
            canary: number[];
            checks: components["schemas"]["CheckSeries"][];
        };
        CheckSeries: {
            check: string;
            segment: string | null;
            /** @enum {string} */
            unit: "fraction" | "ms" | "number";
            gating: boolean;
            result: (("pass" | "fail" | "continue" | "no-data") | null)[];
            limit: (number | null)[];
            n: (number | null)[];
            stable: (number | null)[];
            canary: (number | null)[];
            difference: (number | null)[];
            low: (number | null)[];
            high: (number | null)[];
            fail: (number | null)[];
            pass: (number | null)[];
        };
        Console: {
            /** @description It offers no actions. */
            readOnly: boolean;
            /** @description This controller's clock: ages are shown by it. */
            nowMs: number;
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    applyRollout: {
        parameters: {
            query?: {
                /** @description Why, for those who read the history later. */
                reason?: string;
                /** @description Only checks and estimates; nothing changes. */
                dryRun?: boolean;
                /** @description Traffic to estimate with; the present one where windows are known. */
                predictionsPerSecond?: number;
            };
            header?: {
                /** @description On whose behalf; stands in the decision beside the name of the token. */
                "X-Actor"?: string;
                /** @description The same key twice acts once. */
                "Idempotency-Key"?: string;
            };
            path?: never;
            cookie?: never;
        };
        /** @description The rollout file, as JSON or as YAML text. */
        requestBody: {
            content: {
                "application/json": components["schemas"]["RolloutFile"];
                "text/yaml": components["schemas"]["RolloutFile"];
                "application/yaml": components["schemas"]["RolloutFile"];
            };
        };
        responses: {
            /** @description A dry run, or nothing was left to do. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Applied"];
                };
            };
            /** @description The rollout was accepted and begins once its canary is ready. */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Applied"];
                };
            };
            /** @description unreadable-request, bad-header */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description token-required */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description role-too-low, cross-site */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description stable-differs */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description body-too-large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description unsupported-media-type */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description invalid-input, rollout-open */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too-many-requests */
            429: {
                headers: {
                    /** @description Seconds to wait, where that is known. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description headers-too-large */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description kafka-away, identity-provider-away */
            503: {
                headers: {
                    /** @description Seconds to wait, where that is known. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description no-answer */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listModels: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description By name. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ModelList"];
                };
            };
            /** @description token-required */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description role-too-low, cross-site */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too-many-requests */
            429: {
                headers: {
                    /** @description Seconds to wait, where that is known. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description headers-too-large */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description identity-provider-away */
            503: {
                headers: {
                    /** @description Seconds to wait, where that is known. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getModel: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                model: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description As rollout-state has it. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ModelView"];
                };
            };
            /** @description token-required */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description role-too-low, cross-site */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description unknown-model */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too-many-requests */
            429: {
                headers: {
                    /** @description Seconds to wait, where that is known. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description headers-too-large */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description identity-provider-away */
            503: {
                headers: {
                    /** @description Seconds to wait, where that is known. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getHistory: {
        parameters: {
            query?: {
                /** @description At most so many of the newest decisions. */
                limit?: number;
            };
            header?: never;
            path: {
                model: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Without gaps up to the newest. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["History"];
                };
            };
            /** @description token-required */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description role-too-low, cross-site */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description unknown-model */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description invalid-input */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too-many-requests */
            429: {
                headers: {
                    /** @description Seconds to wait, where that is known. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description headers-too-large */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description identity-provider-away */
            503: {
                headers: {
                    /** @description Seconds to wait, where that is known. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getWindows: {
        parameters: {
            query?: {
                /** @description 10s for an hour, 1m for a day. */
                resolution?: "10s" | "1m";
                /** @description Milliseconds since the epoch; default 15 minutes ago. */
                from?: number;
                /** @description Milliseconds since the epoch; default now. */
                to?: number;
            };
            header?: never;
            path: {
                model: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description In order of time; without those in which nothing was routed. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Windows"];
                };
            };
            /** @description token-required */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description role-too-low, cross-site */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description unknown-model */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description invalid-input */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too-many-requests */
            429: {
                headers: {
                    /** @description Seconds to wait, where that is known. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description headers-too-large */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description no-windows, identity-provider-away */
            503: {
                headers: {
                    /** @description Seconds to wait, where that is known. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    promote: {
        parameters: {
            query?: never;
            header?: {
                /** @description The same key twice acts once. */
                "Idempotency-Key"?: string;
                /** @description On whose behalf; stands in the decision beside the name of the token. */
                "X-Actor"?: string;
            };
            path: {
                model: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ReasonBody"];
            };
        };
        responses: {
            /** @description Carried out; with the decisions it caused and the state after it. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CommandDone"];
                };
            };
            /** @description unreadable-request, bad-header */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description token-required */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description role-too-low, cross-site */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description unknown-model */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description no-open-rollout */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description body-too-large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description unsupported-media-type */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description invalid-input, rollout-open */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too-many-requests */
            429: {
                headers: {
                    /** @description Seconds to wait, where that is known. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description headers-too-large */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description kafka-away, identity-provider-away */
            503: {
                headers: {
                    /** @description Seconds to wait, where that is known. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description no-answer */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    promoteFully: {
        parameters: {
            query?: never;
            header?: {
                /** @description The same key twice acts once. */
                "Idempotency-Key"?: string;
                /** @description On whose behalf; stands in the decision beside the name of the token. */
                "X-Actor"?: string;
            };
            path: {
                model: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ReasonBody"];
            };
        };
        responses: {
            /** @description Carried out; with the decisions it caused and the state after it. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CommandDone"];
                };
            };
            /** @description unreadable-request, bad-header */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description token-required */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description role-too-low, cross-site */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description unknown-model */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description no-open-rollout */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description body-too-large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description unsupported-media-type */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description invalid-input, rollout-open */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too-many-requests */
            429: {
                headers: {
                    /** @description Seconds to wait, where that is known. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description headers-too-large */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description kafka-away, identity-provider-away */
            503: {
                headers: {
                    /** @description Seconds to wait, where that is known. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description no-answer */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    pause: {
        parameters: {
            query?: never;
            header?: {
                /** @description The same key twice acts once. */
                "Idempotency-Key"?: string;
                /** @description On whose behalf; stands in the decision beside the name of the token. */
                "X-Actor"?: string;
            };
            path: {
                model: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ReasonBody"];
            };
        };
        responses: {
            /** @description Carried out; with the decisions it caused and the state after it. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CommandDone"];
                };
            };
            /** @description unreadable-request, bad-header */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description token-required */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description role-too-low, cross-site */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description unknown-model */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description no-open-rollout */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description body-too-large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description unsupported-media-type */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description invalid-input, rollout-open */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too-many-requests */
            429: {
                headers: {
                    /** @description Seconds to wait, where that is known. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description headers-too-large */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description kafka-away, identity-provider-away */
            503: {
                headers: {
                    /** @description Seconds to wait, where that is known. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description no-answer */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    resume: {
        parameters: {
            query?: never;
            header?: {
                /** @description The same key twice acts once. */
                "Idempotency-Key"?: string;
                /** @description On whose behalf; stands in the decision beside the name of the token. */
                "X-Actor"?: string;
            };
            path: {
                model: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ReasonBody"];
            };
        };
        responses: {
            /** @description Carried out; with the decisions it caused and the state after it. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CommandDone"];
                };
            };
            /** @description unreadable-request, bad-header */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description token-required */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description role-too-low, cross-site */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description unknown-model */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description no-open-rollout */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description body-too-large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description unsupported-media-type */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description invalid-input, rollout-open */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too-many-requests */
            429: {
                headers: {
                    /** @description Seconds to wait, where that is known. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description headers-too-large */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description kafka-away, identity-provider-away */
            503: {
                headers: {
                    /** @description Seconds to wait, where that is known. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description no-answer */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    abort: {
        parameters: {
            query?: never;
            header?: {
                /** @description The same key twice acts once. */
                "Idempotency-Key"?: string;
                /** @description On whose behalf; stands in the decision beside the name of the token. */
                "X-Actor"?: string;
            };
            path: {
                model: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["AbortBody"];
            };
        };
        responses: {
            /** @description Carried out; with the decisions it caused and the state after it. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CommandDone"];
                };
            };
            /** @description unreadable-request, bad-header */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description token-required */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description role-too-low, cross-site */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description unknown-model */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description no-open-rollout */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description body-too-large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description unsupported-media-type */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description invalid-input, rollout-open */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too-many-requests */
            429: {
                headers: {
                    /** @description Seconds to wait, where that is known. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description headers-too-large */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description kafka-away, identity-provider-away */
            503: {
                headers: {
                    /** @description Seconds to wait, where that is known. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description no-answer */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    retry: {
        parameters: {
            query?: never;
            header?: {
                /** @description The same key twice acts once. */
                "Idempotency-Key"?: string;
                /** @description On whose behalf; stands in the decision beside the name of the token. */
                "X-Actor"?: string;
            };
            path: {
                model: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ReasonBody"];
            };
        };
        responses: {
            /** @description Carried out; with the decisions it caused and the state after it. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CommandDone"];
                };
            };
            /** @description unreadable-request, bad-header */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description token-required */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description role-too-low, cross-site */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description unknown-model */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description no-open-rollout */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description body-too-large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description unsupported-media-type */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description invalid-input, rollout-open */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too-many-requests */
            429: {
                headers: {
                    /** @description Seconds to wait, where that is known. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description headers-too-large */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description kafka-away, identity-provider-away */
            503: {
                headers: {
                    /** @description Seconds to wait, where that is known. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description no-answer */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    undo: {
        parameters: {
            query?: never;
            header?: {
                /** @description The same key twice acts once. */
                "Idempotency-Key"?: string;
                /** @description On whose behalf; stands in the decision beside the name of the token. */
                "X-Actor"?: string;
            };
            path: {
                model: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ReasonBody"];
            };
        };
        responses: {
            /** @description Carried out; with the decisions it caused and the state after it. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CommandDone"];
                };
            };
            /** @description unreadable-request, bad-header */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description token-required */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description role-too-low, cross-site */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description unknown-model */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description no-open-rollout */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description body-too-large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description unsupported-media-type */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description invalid-input, rollout-open */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too-many-requests */
            429: {
                headers: {
                    /** @description Seconds to wait, where that is known. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description headers-too-large */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description kafka-away, identity-provider-away */
            503: {
                headers: {
                    /** @description Seconds to wait, where that is known. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description no-answer */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    setTraffic: {
        parameters: {
            query?: never;
            header?: {
                /** @description The same key twice acts once. */
                "Idempotency-Key"?: string;
                /** @description On whose behalf; stands in the decision beside the name of the token. */
                "X-Actor"?: string;
            };
            path: {
                model: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["TrafficBody"];
            };
        };
        responses: {
            /** @description Carried out; with the decisions it caused and the state after it. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["CommandDone"];
                };
            };
            /** @description unreadable-request, bad-header */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description token-required */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description role-too-low, cross-site */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description unknown-model */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description no-open-rollout */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description body-too-large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description unsupported-media-type */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description invalid-input, rollout-open */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too-many-requests */
            429: {
                headers: {
                    /** @description Seconds to wait, where that is known. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description headers-too-large */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description kafka-away, identity-provider-away */
            503: {
                headers: {
                    /** @description Seconds to wait, where that is known. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description no-answer */
            504: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    sendLabels: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Label"] | components["schemas"]["Label"][] | components["schemas"]["LabelList"];
            };
        };
        responses: {
            /** @description All of them are in Kafka. */
            202: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["LabelsAccepted"];
                };
            };
            /** @description unreadable-request */
            400: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description token-required */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description role-too-low, cross-site */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description body-too-large */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description unsupported-media-type */
            415: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description invalid-input, too-many */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too-many-requests */
            429: {
                headers: {
                    /** @description Seconds to wait, where that is known. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description headers-too-large */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description kafka-away, identity-provider-away */
            503: {
                headers: {
                    /** @description Seconds to wait, where that is known. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    followEvents: {
        parameters: {
            query?: {
                /** @description Only of this model. */
                model?: string;
                /** @description Only of this kind. */
                kind?: "decision" | "verdict" | "state";
            };
            header?: {
                /** @description Goes on after that event, on any controller and after a restart, or begins with an event reset. */
                "Last-Event-ID"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A stream without an end. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example id: d0.c-s0.4-v0.1x
                     *     event: decision
                     *     data: {"decisionId":"digits/12", ...}
                     */
                    "text/event-stream": string;
                };
            };
            /** @description token-required */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description role-too-low, cross-site */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description invalid-input */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too-many-requests */
            429: {
                headers: {
                    /** @description Seconds to wait, where that is known. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description headers-too-large */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description identity-provider-away */
            503: {
                headers: {
                    /** @description Seconds to wait, where that is known. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    whoAmI: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description As decisions will name them. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Me"];
                };
            };
            /** @description token-required */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description role-too-low, cross-site */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too-many-requests */
            429: {
                headers: {
                    /** @description Seconds to wait, where that is known. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description headers-too-large */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description identity-provider-away */
            503: {
                headers: {
                    /** @description Seconds to wait, where that is known. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listRollouts: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                model: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Newest first. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RolloutList"];
                };
            };
            /** @description token-required */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description role-too-low, cross-site */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description unknown-model */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too-many-requests */
            429: {
                headers: {
                    /** @description Seconds to wait, where that is known. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description headers-too-large */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description identity-provider-away */
            503: {
                headers: {
                    /** @description Seconds to wait, where that is known. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getRollout: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                model: string;
                rollout: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description As its decisions tell it. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RolloutRecord"];
                };
            };
            /** @description token-required */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description role-too-low, cross-site */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description unknown-model, unknown-rollout */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too-many-requests */
            429: {
                headers: {
                    /** @description Seconds to wait, where that is known. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description headers-too-large */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description identity-provider-away */
            503: {
                headers: {
                    /** @description Seconds to wait, where that is known. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getVerdictSeries: {
        parameters: {
            query?: {
                /** @description At most about so many points. */
                points?: number;
            };
            header?: never;
            path: {
                model: string;
                rollout: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Thinned, oldest first. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["VerdictSeries"];
                };
            };
            /** @description token-required */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description role-too-low, cross-site */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description unknown-model, unknown-rollout */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description invalid-input */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too-many-requests */
            429: {
                headers: {
                    /** @description Seconds to wait, where that is known. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description headers-too-large */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description verdicts-away, identity-provider-away */
            503: {
                headers: {
                    /** @description Seconds to wait, where that is known. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    listFleet: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description By name. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Fleet"];
                };
            };
            /** @description token-required */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description role-too-low, cross-site */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too-many-requests */
            429: {
                headers: {
                    /** @description Seconds to wait, where that is known. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description headers-too-large */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description identity-provider-away */
            503: {
                headers: {
                    /** @description Seconds to wait, where that is known. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    followFleet: {
        parameters: {
            query?: never;
            header?: {
                /** @description Goes on after that event, on any controller and after a restart, or begins with an event reset. */
                "Last-Event-ID"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description A stream without an end. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example id: d0.c-s0.4-v0.1x
                     *     event: fleet
                     *     data: {"models":[{"model":"digits", ...}],"gone":[]}
                     */
                    "text/event-stream": string;
                };
            };
            /** @description token-required */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description role-too-low, cross-site */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too-many-requests */
            429: {
                headers: {
                    /** @description Seconds to wait, where that is known. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description headers-too-large */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description identity-provider-away */
            503: {
                headers: {
                    /** @description Seconds to wait, where that is known. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    getConsole: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description What it may offer, and what time it is. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Console"];
                };
            };
            /** @description token-required */
            401: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description role-too-low, cross-site */
            403: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description too-many-requests */
            429: {
                headers: {
                    /** @description Seconds to wait, where that is known. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description headers-too-large */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description identity-provider-away */
            503: {
                headers: {
                    /** @description Seconds to wait, where that is known. */
                    "Retry-After"?: number;
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
        };
    };
    isLive: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description It does. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "live": true
                     *     }
                     */
                    "application/json": {
                        /** @constant */
                        live?: true;
                    };
                };
            };
        };
    };
    isReady: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Yes. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "ready": true,
                     *       "reasons": []
                     *     }
                     */
                    "application/json": {
                        ready: boolean;
                        reasons: string[];
                    };
                };
            };
            /** @description No, and why. */
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    /**
                     * @example {
                     *       "ready": false,
                     *       "reasons": [
                     *         "closing"
                     *       ]
                     *     }
                     */
                    "application/json": {
                        ready: boolean;
                        reasons: string[];
                    };
                };
            };
        };
    };
    getMetrics: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description Its text format. */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/plain": string;
                };
            };
        };
    };
}
