import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { built } from '../world/built.js';

/** A question to a child process, with the number its answer will have. */
interface Question<Q> {
  readonly number: number;
  readonly question: Q;
}

interface Answer<A> {
  readonly number: number;
  readonly answer?: A;
  readonly error?: string;
}

const ANSWER_MS_MAX = 120_000;

/** A process of our own beside this one, that is asked things and answers: what it does does not delay us, nor we it. */
export class Child<Q, A> {
  private readonly child: ChildProcess;
  private readonly waiting = new Map<number, PromiseWithResolvers<A>>();
  private asked = 0;

  /** @param name of the module beside this one. It ends when this process does. */
  constructor(name: string) {
    this.child = fork(fileURLToPath(built(`../processes/${name}`)), { serialization: 'advanced' });
    this.child.on('message', (message) => this.take(message as Answer<A>));
    this.child.once('exit', (code, signal) => {
      for (const { reject } of this.waiting.values()) reject(new Error(`${name} ended with ${code ?? signal}`));
      this.waiting.clear();
    });
  }

  get pid(): number {
    return this.child.pid!;
  }

  async ask(question: Q): Promise<A> {
    const number = ++this.asked;
    const answered = Promise.withResolvers<A>();
    this.waiting.set(number, answered);
    this.child.send({ number, question } satisfies Question<Q>);
    const timer = setTimeout(() => answered.reject(new Error('a child process does not answer')), ANSWER_MS_MAX);
    try {
      return await answered.promise;
    } finally {
      clearTimeout(timer);
      this.waiting.delete(number);
    }
  }

  /** Resolves when it is gone. */
  async kill(): Promise<void> {
    if (this.child.exitCode !== null || this.child.signalCode !== null) return;
    const gone = new Promise((resolve) => this.child.once('exit', resolve));
    this.child.kill('SIGKILL');
    await gone;
  }

  private take({ number, answer, error }: Answer<A>): void {
    const waiting = this.waiting.get(number);
    if (error === undefined) waiting?.resolve(answer as A);
    else waiting?.reject(new Error(error));
  }
}

/** The other end: answers every question, until whoever started this process is gone. */
export function answerWith<Q, A>(answer: (question: Q) => Promise<A>): void {
  process.on('disconnect', () => process.exit(0));
  process.on('message', ({ number, question }: Question<Q>) => {
    answer(question).then(
      (given) => process.send!({ number, answer: given }),
      (error: unknown) => process.send!({ number, error: String((error as Error).stack ?? error) }),
    );
  });
}
