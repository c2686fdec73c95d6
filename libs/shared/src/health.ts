import { Controller, type DynamicModule, Get, HttpStatus, Inject, Module, Res } from '@nestjs/common';

/** Says why a part cannot serve now, or null. Must return at once: it looks at what is known already. */
export type ReadinessCheck = () => string | null;

export interface Readiness {
  readonly ready: boolean;
  readonly reasons: readonly string[];
}

/** Whether to send work here. Liveness is apart: a process that answers is alive, whatever became of Kafka or Redis. */
export class Health {
  private readonly checks: ReadinessCheck[] = [];
  private draining = false;

  addCheck(check: ReadinessCheck): void {
    this.checks.push(check);
  }

  /** Readiness goes off for good: the first step of closing. */
  drain(): void {
    this.draining = true;
  }

  ready(): Readiness {
    const reasons = this.checks.flatMap((check) => check() ?? []);
    if (this.draining) reasons.unshift('closing');
    return { ready: reasons.length === 0, reasons };
  }

  live(): { readonly live: true } {
    return { live: true };
  }
}

/** What the controllers below need of a reply, Fastify's. */
interface Reply {
  code(status: number): Reply;
  header(name: string, value: string): Reply;
}

@Controller('health')
export class HealthController {
  constructor(@Inject(Health) private readonly health: Health) {}

  @Get('live')
  live(): { readonly live: true } {
    return this.health.live();
  }

  @Get('ready')
  ready(@Res({ passthrough: true }) reply: Reply): Readiness {
    const readiness = this.health.ready();
    reply.code(readiness.ready ? HttpStatus.OK : HttpStatus.SERVICE_UNAVAILABLE);
    return readiness;
  }
}

/** What /metrics shows: a Registry of prom-client, or somebody who puts several together. */
export interface MetricsSource {
  readonly contentType: string;
  metrics(): Promise<string>;
}

const METRICS = Symbol('metrics');

@Controller('metrics')
export class MetricsController {
  constructor(@Inject(METRICS) private readonly source: MetricsSource) {}

  @Get()
  metrics(@Res({ passthrough: true }) reply: Reply): Promise<string> {
    reply.header('content-type', this.source.contentType);
    return this.source.metrics();
  }
}

/** GET /health/live, /health/ready (503 with the reasons when not) and /metrics. */
@Module({})
export class HealthModule {
  static register(parts: { readonly health: Health; readonly registry: MetricsSource }): DynamicModule {
    return {
      module: HealthModule,
      controllers: [HealthController, MetricsController],
      providers: [
        { provide: Health, useValue: parts.health },
        { provide: METRICS, useValue: parts.registry },
      ],
      exports: [Health],
    };
  }
}
