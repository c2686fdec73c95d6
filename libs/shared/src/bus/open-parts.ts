interface Closable {
  close(): Promise<unknown>;
}

/** The producers, consumers and followers a bus has handed out and that still are open. */
export class OpenParts {
  private readonly parts = new Set<Closable>();

  /** Makes a part that tells by `closed` when it need not be remembered any more. */
  add<T extends Closable>(make: (closed: () => void) => T): T {
    const part = make(() => this.parts.delete(part));
    this.parts.add(part);
    return part;
  }

  async close(): Promise<void> {
    await Promise.all([...this.parts].map((part) => part.close()));
  }
}
