import { describe, expect, it } from 'vitest';
import { loadDigits } from '../digits.js';
import { trainVersions, type Version } from './versions.js';

describe('the versions of the digits model', async () => {
  const { training, serving } = await loadDigits(1);
  const models = trainVersions(training, 1);
  const sample = serving.slice(0, 1500);
  const answers = new Map(models.map(({ version, predict }) => [version, sample.map(({ pixels }) => predict(pixels))]));
  const answersOf = (version: Version) => answers.get(version)!;
  const accuracy = (version: Version): number =>
    answersOf(version).filter(({ digit }, i) => digit === sample[i]!.label).length / sample.length;

  it('v2 is clearly better than v1, v3 clearly worse, v4 better', () => {
    const [v1, v2, v3, v4] = [accuracy('v1'), accuracy('v2'), accuracy('v3'), accuracy('v4')];
    expect(v1).toBeGreaterThan(0.75);
    expect(v2).toBeGreaterThan(v1 + 0.08);
    expect(v3).toBeLessThan(v1 - 0.04);
    expect(v4).toBeGreaterThan(v1 + 0.08);
  });

  it('only v4 is slow, and only on the unclear pictures', () => {
    const slow = (version: Version) => answersOf(version).filter(({ delayMs }) => delayMs > 200).length / sample.length;
    expect([slow('v1'), slow('v2'), slow('v3')]).toEqual([0, 0, 0]);
    expect(slow('v4')).toBeGreaterThan(0.07);
    expect(slow('v4')).toBeLessThan(0.14);
  });

  it('the same seed gives the same models', () => {
    const again = trainVersions(training, 1).find((m) => m.version === 'v2')!;
    const digits = sample.slice(0, 50).map(({ pixels }) => again.predict(pixels).digit);
    expect(digits).toEqual(
      answersOf('v2')
        .slice(0, 50)
        .map(({ digit }) => digit),
    );
  });
});
