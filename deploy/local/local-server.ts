/** A server of the local stack that tests may break and mend. */
export interface LocalServer {
  /** Process id; undefined while it is down, and with Docker. */
  readonly pid: number | undefined;
  /** Sends a signal: SIGKILL, SIGSTOP and SIGCONT are for fault tests. After SIGKILL it resolves when the process is gone. */
  signal(signal: NodeJS.Signals): Promise<void>;
  /** Starts it again on the same port with the same data; resolves when it answers. */
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** Tells a person what takes long. One line each, without a newline. */
export type Say = (line: string) => void;
