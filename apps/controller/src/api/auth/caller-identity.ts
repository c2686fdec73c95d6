import { createParamDecorator, type ExecutionContext } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { identityOf } from './authentication.js';
import type { Identity } from './roles.js';

/** A handler's parameter: who asks, as the guard has let them in. */
export const CallerIdentity = createParamDecorator((_data: unknown, context: ExecutionContext): Identity =>
  identityOf(context.switchToHttp().getRequest<FastifyRequest>()),
);
