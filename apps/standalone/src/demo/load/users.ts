import type { Random } from '../seeded-random.js';

export interface User {
  readonly number: number;
  readonly id: string;
  /** Waits for an answer. */
  busy: boolean;
  /** The version its last answer came from. */
  version: string | null;
}

const USERS = 500;

/** Some users ask often and most of them now and then. A user waits for its answer before it asks again. */
export class Users {
  private readonly users: readonly User[] = Array.from({ length: USERS }, (_, number) => ({
    number,
    id: `user-${number}`,
    busy: false,
    version: null,
  }));

  constructor(private readonly random: Random) {}

  /** A rollout begins: where their answers came from before is no matter. */
  forgetVersions(): void {
    for (const user of this.users) user.version = null;
  }

  /** Someone who is not waiting, or null if all seem to be. */
  next(): User | null {
    for (let tries = 0; tries < 10; tries++) {
      const user = this.users[Math.floor(USERS * this.random() ** 1.5)]!;
      if (!user.busy) return user;
    }
    return null;
  }
}
