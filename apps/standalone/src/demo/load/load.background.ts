import { Pool } from 'undici';
import { backgroundSide } from '../background.js';
import { type Digit, loadDigits, PIXELS } from '../digits.js';
import { MODEL } from '../models/model-server.js';
import { type Random, seededRandom } from '../seeded-random.js';
import { LateLabels } from './late-labels.js';
import type { FromLoad, LoadCounts, LoadData, ToLoad } from './messages.js';
import { type Move, stickinessViolations } from './stickiness.js';
import { type User, Users } from './users.js';

/** Predictions per second. Two cores carry it with ease, with everything else of the demo. */
const RATE = 500;
const TURN_MS = 10;
const LABELS_EVERY_MS = 200;
const COUNTS_EVERY_MS = 250;
const CONNECTIONS = 64;

/** Users who send digits and wait for answers, and the truth about those digits, later. */
class Load {
  private readonly router: Pool;
  private readonly controller: Pool;
  private readonly random: Random;
  private readonly users: Users;
  private readonly labels: LateLabels;
  private readonly timers: NodeJS.Timeout[] = [];
  private counts: { predictions: number; failedPredictions: number; byVersion: Record<string, number> } = noCounts();
  private moves: Move[] = [];
  private labelsSent = 0;

  constructor(
    data: LoadData,
    private readonly requests: readonly DigitRequest[],
    private readonly report: (message: FromLoad) => void,
  ) {
    this.router = new Pool(data.routerUrl, { connections: CONNECTIONS });
    this.controller = new Pool(data.controllerUrl, { connections: 2 });
    this.random = seededRandom(data.seed);
    this.users = new Users(seededRandom(data.seed + 1));
    this.labels = new LateLabels(seededRandom(data.seed + 2));
  }

  start(): void {
    let turnMs = performance.now();
    let owed = 0;
    const turn = (): void => {
      const nowMs = performance.now();
      // After a stall of this process the missed predictions are not made up for in a burst.
      owed = Math.min(RATE / 10, owed + ((nowMs - turnMs) * RATE) / 1000);
      turnMs = nowMs;
      for (; owed >= 1; owed--) this.predict();
    };
    this.timers.push(
      setInterval(turn, TURN_MS),
      setInterval(() => void this.sendLabels(), LABELS_EVERY_MS),
      setInterval(
        () => this.report({ kind: 'counts', counts: this.counts, labelsSent: this.labelsSent }),
        COUNTS_EVERY_MS,
      ),
    );
  }

  handle(message: ToLoad): void {
    switch (message.kind) {
      case 'rollout-begins':
        this.counts = noCounts();
        this.moves = [];
        this.users.forgetVersions();
        break;
      case 'rollout-ended': {
        const violations = stickinessViolations(this.moves, message.span);
        this.report({ kind: 'rollout-counted', counts: this.counts, stickinessViolations: violations });
        break;
      }
    }
  }

  async close(): Promise<void> {
    this.timers.forEach(clearInterval);
    await Promise.all([this.router.close(), this.controller.close()]);
  }

  private predict(): void {
    const user = this.users.next();
    const request = this.requests[Math.floor(this.random() * this.requests.length)]!;
    if (!user) return;
    user.busy = true;
    this.counts.predictions++;
    this.send(user, request).then(
      (ok) => {
        user.busy = false;
        if (!ok) this.counts.failedPredictions++;
      },
      () => {
        user.busy = false;
        this.counts.failedPredictions++;
      },
    );
  }

  /** Whether the answer was 2xx. */
  private async send(user: User, { body, label }: DigitRequest): Promise<boolean> {
    const {
      statusCode,
      headers,
      body: answer,
    } = await this.router.request({
      method: 'POST',
      path: `/v2/models/${MODEL}/infer`,
      headers: { 'content-type': 'application/json', 'x-user-id': user.id },
      body,
    });
    await answer.dump();
    if (statusCode < 200 || statusCode > 299) return false;
    const nowMs = Date.now();
    const version = String(headers['x-model-version']);
    this.counts.byVersion[version] = (this.counts.byVersion[version] ?? 0) + 1;
    if (user.version !== null && user.version !== version)
      this.moves.push({ user: user.number, from: user.version, to: version, at: nowMs });
    user.version = version;
    this.labels.add(String(headers['x-prediction-id']), label, nowMs);
    return true;
  }

  private async sendLabels(): Promise<void> {
    const labels = this.labels.takeDue(Date.now());
    if (labels.length === 0) return;
    const { statusCode, body } = await this.controller.request({
      method: 'POST',
      path: '/api/v1/labels',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ labels }),
    });
    const text = await body.text();
    if (statusCode > 299) throw new Error(`the controller refused labels: ${text}`);
    this.labelsSent += labels.length;
  }
}

interface DigitRequest {
  readonly body: string;
  readonly label: string;
}

function requestFor({ pixels, label }: Digit): DigitRequest {
  const data = Array.from(pixels, (brightness) => Math.round(brightness * 255));
  const inputs = [{ name: 'image', datatype: 'UINT8', shape: [1, PIXELS], data }];
  return { body: JSON.stringify({ inputs }), label: String(label) };
}

const noCounts = (): LoadCounts & { byVersion: Record<string, number> } => ({
  predictions: 0,
  failedPredictions: 0,
  byVersion: {},
});

const side = backgroundSide<ToLoad, FromLoad>();
const data = side.data as LoadData;
const { serving } = await loadDigits(data.seed);
const load = new Load(data, serving.map(requestFor), (message) => side.send(message));
side.onMessage((message) => load.handle(message));
side.onClose(() => load.close());
load.start();
