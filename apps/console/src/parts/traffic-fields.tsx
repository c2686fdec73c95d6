interface TrafficFieldsProps {
  readonly versions: readonly string[];
  readonly weights: Readonly<Record<string, number>>;
  readonly onChange: (weights: Readonly<Record<string, number>>) => void;
}

/** A weight for each version, in per cent. With two of them the other one takes the rest. */
export function TrafficFields({ versions, weights, onChange }: TrafficFieldsProps) {
  const set = (version: string, percent: string): void => {
    const weight = Number((Number(percent) / 100).toFixed(4));
    const other = versions.length === 2 ? versions.find((one) => one !== version) : undefined;
    const rest = other === undefined ? {} : { [other]: Number((1 - weight).toFixed(4)) };
    onChange({ ...weights, [version]: weight, ...rest });
  };
  const sum = versions.reduce((total, version) => total + (weights[version] ?? 0), 0);
  return (
    <fieldset class="traffic-fields">
      <legend>Traffic, in per cent</legend>
      {versions.map((version) => (
        <label key={version} class="field">
          <span>{version}</span>
          <input
            type="number"
            min={0}
            max={100}
            step={0.01}
            value={Number(((weights[version] ?? 0) * 100).toFixed(2))}
            onChange={(event) => set(version, event.currentTarget.value)}
          />
        </label>
      ))}
      {Math.abs(sum - 1) > 1e-9 && (
        <p class="refusal">Together they are {Number((sum * 100).toFixed(2))} %; they must be 100 %.</p>
      )}
    </fieldset>
  );
}
