import { Controller, type DynamicModule, Get, HttpStatus, Inject, Module, Res } from '@nestjs/common';
import { Health, HealthModule, type MetricsSource } from '@app/shared/core';

/** What these controllers need of a reply, Fastify's. */
interface Reply {
  code(status: number): Reply;
}

/** The server's own part of the Open Inference Protocol v2; models are the data plane's. */
@Controller('v2')
export class ServerMetadataController {
  constructor(@Inject(Health) private readonly health: Health) {}

  @Get()
  metadata(): { name: string; version: string; extensions: readonly string[] } {
    return { name: 'model-canary-router', version: '2', extensions: [] };
  }

  @Get('health/live')
  live(): { live: boolean } {
    return this.health.live();
  }

  @Get('health/ready')
  ready(@Res({ passthrough: true }) reply: Reply): { ready: boolean } {
    const { ready } = this.health.ready();
    reply.code(ready ? HttpStatus.OK : HttpStatus.SERVICE_UNAVAILABLE);
    return { ready };
  }
}

/** Everything the router answers itself. The data path does not pass through Nest: see start.ts. */
@Module({})
export class RouterModule {
  static register(parts: { readonly health: Health; readonly registry: MetricsSource }): DynamicModule {
    return { module: RouterModule, imports: [HealthModule.register(parts)], controllers: [ServerMetadataController] };
  }
}
