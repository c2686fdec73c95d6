/** The series of one answer of /metrics. */
export class Metrics {
  private readonly series: readonly { readonly name: string; readonly labels: string; readonly value: number }[];

  private constructor(text: string) {
    this.series = text.split('\n').flatMap((line) => {
      const found = /^([a-zA-Z_:][\w:]*)(\{.*\})? (\S+)$/.exec(line);
      return found ? [{ name: found[1]!, labels: found[2] ?? '', value: Number(found[3]) }] : [];
    });
  }

  /** Rejects when the service does not answer. */
  static async of(url: string, withinMs = 5_000): Promise<Metrics> {
    // A kept connection is one that a router waits for when it is asked to end.
    const headers = { connection: 'close' };
    const answer = await fetch(`${url}/metrics`, { headers, signal: AbortSignal.timeout(withinMs) });
    return new Metrics(await answer.text());
  }

  /** As sum(), of the metric whose name ends so: Node's own have a prefix of the service's. */
  sumOfEnding(ending: string, label = ''): number {
    const name = this.series.find((one) => one.name.endsWith(ending))?.name;
    return name === undefined ? NaN : this.sum(name, label);
  }

  /** Sum over all series of a metric that have a label's text. */
  sum(name: string, label = ''): number {
    return this.series.reduce(
      (sum, one) => (one.name === name && one.labels.includes(label) ? sum + one.value : sum),
      0,
    );
  }
}
