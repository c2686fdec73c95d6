import { type Background, type BackgroundKind, startBackground } from './background.js';
import { ControllerApi } from './controller-api.js';
import type { FromLoad, LoadData, ToLoad } from './load/messages.js';
import { MODEL } from './models/model-server.js';
import type { ModelServersData, ModelServersReady, ServedVersion } from './models/model-servers.background.js';
import type { DemoOptions } from './options.js';
import { type PlannedRollout, ROLLOUTS, STABLE } from './rollouts.js';
import type { Screen } from './screen.js';
import { asExpected, registerModel, type RolloutSummary, runRollout, type Story } from './story.js';

/** Router, evaluator and controller, wherever they run. */
export interface Services {
  readonly routerUrl: string;
  readonly controllerUrl: string;
  close(): Promise<void>;
}

export interface DemoDeps {
  readonly options: DemoOptions;
  readonly screen: Screen;
  /** Aborted when the demo is to end early. */
  readonly signal: AbortSignal;
  startServices(): Promise<Services>;
}

export interface DemoResult {
  readonly rollouts: readonly RolloutSummary[];
  readonly asExpected: boolean;
}

/** The whole demo. Whatever happens, nothing it started goes on afterwards. */
export async function runDemo({ options, screen, signal, startServices }: DemoDeps): Promise<DemoResult> {
  await using started = new AsyncDisposableStack();
  const kind: BackgroundKind = options.kafka ? 'process' : 'thread';

  screen.say('Training four versions of a model that reads handwritten digits ...');
  const modelServers = startModelServers(kind, options.seed);
  started.defer(() => modelServers.close());
  const { versions } = await modelServers.next((message): message is ModelServersReady => 'versions' in message);
  for (const { version, description } of versions) screen.say(`  ${version}  ${description}`);

  const services = await startServices();
  started.defer(() => services.close());
  screen.say(`The router is at ${services.routerUrl}. Watch it all in a browser at ${services.controllerUrl}/`);

  const load = startLoad(kind, {
    seed: options.seed,
    routerUrl: services.routerUrl,
    controllerUrl: services.controllerUrl,
  });
  started.defer(() => load.close());
  load.onMessage((message) => message.kind === 'counts' && screen.showLoad(message.counts, message.labelsSent));

  const api = new ControllerApi(services.controllerUrl, signal);
  const onView: Story['onView'] = (view) => screen.showModel(view, Date.now());
  const result = await tellStory({ api, load, signal, onView }, { versions, screen });
  if (options.stay) {
    screen.say(`The page stays at ${services.controllerUrl}/ until Ctrl-C.`);
    await aborted(signal);
  }
  return result;
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => (signal.aborted ? resolve() : signal.addEventListener('abort', () => resolve())));

async function tellStory(
  story: Story,
  { versions, screen }: { versions: readonly ServedVersion[]; screen: Screen },
): Promise<DemoResult> {
  const served = (version: string): ServedVersion => versions.find((v) => v.version === version)!;
  const stable = served(STABLE);
  screen.say(`500 users send digits to ${STABLE}; what the digits really are becomes known seconds later.`);
  await registerModel(story, stable);
  const summaries: RolloutSummary[] = [];
  for (const { canary } of ROLLOUTS) {
    screen.heading(`${MODEL}: ${canary} (${served(canary).description}) against ${STABLE}`);
    summaries.push(await runRollout(story, { stable, canary: served(canary) }));
    screen.endBlock();
  }
  screen.summary(summaries);
  const pairs = summaries.map((summary, i) => [summary, ROLLOUTS[i]!] as const);
  const surprises = pairs.filter(([summary, planned]) => !asExpected(summary, planned));
  for (const [summary, planned] of surprises) screen.say(surpriseText(summary, planned));
  return { rollouts: summaries, asExpected: surprises.length === 0 };
}

function surpriseText({ canary, outcome, reasonCode, ...counts }: RolloutSummary, planned: PlannedRollout): string {
  const expected = [planned.expected, planned.expectedReason].filter((part) => part !== undefined).join(', ');
  return (
    `${canary} came out as ${outcome} (${reasonCode}), expected was ${expected}, with ` +
    `${counts.failedPredictions} failed predictions and ${counts.stickinessViolations} users moved back (expected: 0 and 0).`
  );
}

function startModelServers(kind: BackgroundKind, seed: number): Background<never, ModelServersReady> {
  const data: ModelServersData = { seed };
  return startBackground(kind, new URL('./models/model-servers.background.js', import.meta.url), data);
}

function startLoad(kind: BackgroundKind, data: LoadData): Background<ToLoad, FromLoad> {
  return startBackground(kind, new URL('./load/load.background.js', import.meta.url), data);
}
