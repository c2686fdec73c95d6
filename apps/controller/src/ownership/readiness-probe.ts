import { Agent, request } from 'undici';

export interface ReadinessAnswer {
  readonly ready: boolean;
  /** What was asked and what came back. */
  readonly detail: string;
}

/** Asks a model server whether it is ready for its first user. Never rejects. */
export interface ReadinessProbe {
  ask(url: string): Promise<ReadinessAnswer>;
  close(): Promise<void>;
}

/** The Open Inference Protocol's question first, then what plain servers answer. */
const PATHS = ['/v2/health/ready', '/health', '/'] as const;
const DEADLINE_MS = 2_000;

/** GET on each path in turn: any 2xx is ready. */
export class HttpReadinessProbe implements ReadinessProbe {
  private readonly agent = new Agent({ connect: { timeout: DEADLINE_MS }, keepAliveTimeout: 1 });

  async ask(url: string): Promise<ReadinessAnswer> {
    const base = url.replace(/\/+$/, '');
    const answers: string[] = [];
    for (const path of PATHS) {
      try {
        const { statusCode, body } = await request(base + path, {
          dispatcher: this.agent,
          signal: AbortSignal.timeout(DEADLINE_MS),
        });
        await body.dump();
        if (statusCode >= 200 && statusCode < 300) return { ready: true, detail: `GET ${base}${path}: ${statusCode}` };
        answers.push(`${path} ${statusCode}`);
      } catch (error) {
        // Whoever does not answer at all will not do so on another path.
        return { ready: false, detail: [`GET ${base}`, ...answers, `${path} ${causeOf(error)}`].join(', ') };
      }
    }
    return { ready: false, detail: `GET ${base}: ${answers.join(', ')}` };
  }

  async close(): Promise<void> {
    await this.agent.destroy();
  }
}

function causeOf(error: unknown): string {
  const { name, code, message } = error as NodeJS.ErrnoException;
  if (name === 'TimeoutError') return `no answer within ${DEADLINE_MS} ms`;
  return code ?? message;
}
