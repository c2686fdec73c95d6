import { inspect } from 'node:util';
import { CanaryError } from '@app/shared';
import { runDemo, type Services } from './demo.js';
import { type DemoOptions, readOptions, USAGE } from './options.js';
import { Screen } from './screen.js';

/** npm hands Ctrl-C on to a program that the terminal has told already: what comes this soon is the same press. */
const SAME_PRESS_MS = 500;

async function main(args: readonly string[]): Promise<number> {
  const options = readOptions(args);
  if (options === null || typeof options === 'string') {
    (options === null ? process.stdout : process.stderr).write(
      `${options === null ? USAGE : `${options}\n${USAGE}`}\n`,
    );
    return options === null ? 0 : 2;
  }
  const ending = endOnSignal();
  const screen = new Screen(options.json ? process.stderr : process.stdout, process.env);
  try {
    const startServices = (): Promise<Services> => servicesFor(options, screen);
    const result = await runDemo({ options, screen, signal: ending.signal, startServices });
    if (options.json) process.stdout.write(`${JSON.stringify({ seed: options.seed, ...result }, null, 2)}\n`);
    return result.asExpected ? 0 : 1;
  } catch (error) {
    screen.endBlock();
    if (ending.signal.aborted) return ending.exitCode();
    screen.say(error instanceof CanaryError ? error.message : `The demo cannot go on: ${inspect(error)}`);
    return 1;
  }
}

/** Only what is needed is loaded: the memory demo knows no Kafka. */
async function servicesFor({ kafka }: DemoOptions, screen: Screen): Promise<Services> {
  if (kafka) return (await import('./services-on-kafka.js')).startServicesOnKafka((line) => screen.say(line));
  return (await import('./services-in-memory.js')).startServicesInMemory();
}

function endOnSignal(): { readonly signal: AbortSignal; exitCode(): number } {
  const controller = new AbortController();
  let firstMs = Infinity;
  let code = 0;
  const listen = (signal: NodeJS.Signals, exitCode: number): void =>
    void process.on(signal, () => {
      if (performance.now() - firstMs > SAME_PRESS_MS) process.exit(exitCode);
      if (controller.signal.aborted) return;
      firstMs = performance.now();
      code = exitCode;
      process.stderr.write('\nEnding ...\n');
      controller.abort();
    });
  listen('SIGINT', 130);
  listen('SIGTERM', 143);
  return { signal: controller.signal, exitCode: () => code };
}

process.exitCode = await main(process.argv.slice(2));
