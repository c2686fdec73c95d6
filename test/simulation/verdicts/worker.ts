import { parentPort } from 'node:worker_threads';
import { allStudies, runStudy } from './all-studies.js';

/** One piece of work: runs of a study with the seeds from..to-1. */
export interface Piece {
  readonly study: number;
  readonly from: number;
  readonly to: number;
  /** All runs go through the slots; otherwise every tenth. */
  readonly throughSlots: boolean;
}

const studies = allStudies();
parentPort?.on('message', ({ study, from, to, throughSlots }: Piece) => {
  const runs = [];
  for (let seed = from; seed < to; seed++) runs.push(runStudy(studies, study, seed, throughSlots));
  parentPort?.postMessage({ study, runs });
});
