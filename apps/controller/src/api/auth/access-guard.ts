import { type CanActivate, type ExecutionContext, Injectable, SetMetadata } from '@nestjs/common';
import { HealthController, MetricsController } from '@app/shared';
import type { FastifyRequest } from 'fastify';
import { problem, ProblemException, refuse } from '../problem.js';
import { authenticationOf } from './authentication.js';
import { type Identity, mayDo, type Role } from './roles.js';

const ROLE = Symbol('role');

/** The role that a handler, or all of a controller, needs. One that names none needs `admin`. */
export const Needs = (role: Role): MethodDecorator & ClassDecorator => SetMetadata(ROLE, role);

/** These say how a service is, and change nothing: probes and scrapers have no tokens. */
const OPEN: readonly unknown[] = [HealthController, MetricsController];

/** Lets in whoever has the role. What a path looks like decides nothing: there is more than one way to write it. */
@Injectable()
export class AccessGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    if (OPEN.includes(context.getClass())) return true;
    const needed = neededRole(context);
    const who = authenticationOf(context.switchToHttp().getRequest<FastifyRequest>());
    switch (who.kind) {
      case 'known':
        requireRole(who.identity, needed);
        return true;
      case 'refused':
        throw new ProblemException(problem(401, 'token-required', who.why), { 'www-authenticate': 'Bearer' });
      case 'away':
        throw new ProblemException(problem(503, 'identity-provider-away', `${who.why}; try again, or use a token`), {
          'retry-after': '5',
        });
    }
  }
}

/** Throws ProblemException 403. */
export function requireRole({ name, role }: Identity, needed: Role): void {
  if (!mayDo(role, needed)) refuse(403, 'role-too-low', `this needs the role ${needed}; ${name} has ${role}`);
}

function neededRole(context: ExecutionContext): Role {
  const of = (target: object): Role | undefined => Reflect.getMetadata(ROLE, target) as Role | undefined;
  return of(context.getHandler()) ?? of(context.getClass()) ?? 'admin';
}
