import { parentPort, workerData } from 'node:worker_threads';
import type { RehearsalRequest } from '@app/shared';
import { rehearseOnce } from './rehearse-once.js';

const request = workerData as RehearsalRequest;
parentPort?.on('message', (seed: number) => parentPort?.postMessage(rehearseOnce(request, seed)));
