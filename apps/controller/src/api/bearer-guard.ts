import { createHash, timingSafeEqual } from 'node:crypto';
import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { problem, ProblemException } from './problem.js';

export interface BearerGuardOptions {
  /** Without one everybody may ask. */
  readonly token: string | undefined;
}

const GUARDED = '/api/';

/** Lets in whoever has the token. Health, metrics and the documentation stay open: they change nothing. */
@Injectable()
export class BearerGuard implements CanActivate {
  private readonly expected: Buffer | null;

  constructor({ token }: BearerGuardOptions) {
    this.expected = token === undefined ? null : digest(token);
  }

  canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    if (!this.expected || !request.url.startsWith(GUARDED)) return true;
    const given = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? '')?.[1] ?? '';
    // Digests have one length, so the comparison takes the same time whatever was given.
    if (timingSafeEqual(digest(given), this.expected)) return true;
    throw new ProblemException(
      problem(401, 'token-required', 'this API needs the header Authorization: Bearer <CONTROLLER_TOKEN>'),
      { 'www-authenticate': 'Bearer' },
    );
  }
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();
