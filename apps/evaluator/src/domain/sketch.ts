export {
  SKETCH_BIN_MAX,
  SKETCH_GAMMA,
  SKETCH_RELATIVE_ERROR,
  sketchBin,
  sketchUpperEdgeMs,
  sketchValueMs,
} from '@app/shared';
