import { createFsFromVolume, type IFs, Volume } from 'memfs';

/** A machine's disk: it outlives the processes on the machine. */
export class Disk {
  readonly files: IFs = createFsFromVolume(new Volume());
  /** Nothing more can be written: ENOSPC. */
  full = false;

  constructor() {
    this.files.mkdirSync('/data', { recursive: true });
  }
}
