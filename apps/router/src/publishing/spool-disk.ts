import {
  constants,
  type PathLike,
  close,
  fdatasync,
  ftruncate,
  mkdir,
  open,
  read,
  rmdir,
  unlink,
  write,
} from 'node:fs';
import { promisify } from 'node:util';

const openFile = promisify(open);
const closeFile = promisify(close);
const writeOnce = promisify(write);
const readOnce = promisify(read);
const makeDirectories = promisify(mkdir);
const syncData: (fd: number) => Promise<void> = promisify(fdatasync);
const truncateFile: (fd: number, length: number) => Promise<void> = promisify(ftruncate);
const removeFile: (path: PathLike) => Promise<void> = promisify(unlink);
const removeFolder: (path: PathLike) => Promise<void> = promisify(rmdir);

/**
 * The disk as the spool uses it: never waited for by anything but the spool itself, which is why all of it is
 * asynchronous. Tests hand in one that fails.
 */
export const spoolDisk = {
  /** A new file, which must not be there yet. Resolves to its descriptor. */
  create: (path: string): Promise<number> => openFile(path, 'wx'),

  /** Writes all of a block; rejects if any of it was not written. */
  async write(fd: number, block: Buffer, position: number): Promise<void> {
    for (let at = 0; at < block.length;) {
      at += (await writeOnce(fd, block, at, block.length - at, position + at)).bytesWritten;
    }
  },

  /** At most `length` bytes from `position` on; fewer at the end of the file. */
  async read(path: string, position: number, length: number): Promise<Buffer> {
    const fd = await openFile(path, 'r');
    try {
      const block = Buffer.allocUnsafe(length);
      let at = 0;
      while (at < length) {
        const { bytesRead } = await readOnce(fd, block, at, length - at, position + at);
        if (bytesRead === 0) break;
        at += bytesRead;
      }
      return block.subarray(0, at);
    } finally {
      await closeFile(fd);
    }
  },

  sync: syncData,
  truncate: truncateFile,
  close: closeFile,
  remove: removeFile,

  async makeDirectory(path: string): Promise<void> {
    await makeDirectories(path, { recursive: true });
  },
  /** Only an empty one. */
  removeDirectory: removeFolder,

  /** Makes sure that the files made in a directory are found after a power cut. */
  async syncDirectory(path: string): Promise<void> {
    const fd = await openFile(path, constants.O_RDONLY);
    try {
      await syncData(fd);
    } finally {
      await closeFile(fd);
    }
  },
};

export type SpoolDisk = typeof spoolDisk;

/** There is no room: something of the spool's own has to go. Of any other error making room is no remedy. */
export const isDiskFull = (error: unknown): boolean =>
  ['ENOSPC', 'EDQUOT'].includes((error as NodeJS.ErrnoException).code ?? '');
