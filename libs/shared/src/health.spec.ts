import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify';
import { NestFactory } from '@nestjs/core';
import { Gauge, Registry } from 'prom-client';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Health, HealthModule } from './health.js';

let app: NestFastifyApplication;
let health: Health;
let registry: Registry;

beforeEach(async () => {
  health = new Health();
  registry = new Registry();
  const module = HealthModule.register({ health, registry });
  app = await NestFactory.create<NestFastifyApplication>(module, new FastifyAdapter(), { logger: false });
  await app.init();
});
afterEach(() => app.close());

describe('health', () => {
  it('is not ready while a part says why, and alive all the same', async () => {
    let reason: string | null = 'Kafka is away';
    health.addCheck(() => reason);
    const refused = await app.inject('/health/ready');
    expect(refused.statusCode).toBe(503);
    expect(refused.json()).toEqual({ ready: false, reasons: ['Kafka is away'] });
    expect((await app.inject('/health/live')).statusCode).toBe(200);
    reason = null;
    expect((await app.inject('/health/ready')).statusCode).toBe(200);
  });

  it('is not ready once closing has begun', async () => {
    health.drain();
    expect((await app.inject('/health/ready')).json()).toEqual({ ready: false, reasons: ['closing'] });
  });

  it('gives the metrics of its own registry as Prometheus text', async () => {
    new Gauge({ name: 'model_canary_test', help: 'a gauge', registers: [registry] }).set(3);
    const answer = await app.inject('/metrics');
    expect(answer.headers['content-type']).toMatch(/^text\/plain/);
    expect(answer.body).toContain('model_canary_test 3');
  });
});
