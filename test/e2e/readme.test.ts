import { afterAll, expect, test } from 'vitest';
import { readmeCommands } from './driver/readme-commands.js';
import { ReadmeStory, STEPS } from './driver/readme-story.js';

const story = new ReadmeStory();
afterAll(() => story.close());

test('every command of the README works, one after the other', { timeout: 600_000 }, async () => {
  const lines = readmeCommands();
  for (const line of lines) {
    const step = STEPS.find(([pattern]) => pattern.test(line))?.[1];
    expect(step, line).toBeDefined();
    if (typeof step === 'function') await step(story, line);
  }
});
