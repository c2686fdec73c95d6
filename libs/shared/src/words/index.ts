/** Words and figures for people. Nothing here needs Node: the console has it in the browser as @app/words. */
export * from './check-words.js';
export * from './status-words.js';
export { formatDuration, roughDuration } from '../rollout-spec/duration.js';
