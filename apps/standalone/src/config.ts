import { ToNumber } from '@app/shared';
import { IsIn, IsInt, IsString, Matches, Max, Min } from 'class-validator';

/** What the standalone app has beside the router's, evaluator's and controller's own variables. */
export class StandaloneConfig {
  @IsString()
  HTTP_HOST = '127.0.0.1';

  /** Predictions go here. 0 takes a free port. */
  @ToNumber()
  @IsInt()
  @Min(0)
  @Max(65_535)
  ROUTER_PORT = 8081;

  /** The API that canaryctl talks to. 0 takes a free port. */
  @ToNumber()
  @IsInt()
  @Min(0)
  @Max(65_535)
  CONTROLLER_PORT = 8080;

  /** Health and metrics of the evaluator. 0 takes a free port. */
  @ToNumber()
  @IsInt()
  @Min(0)
  @Max(65_535)
  EVALUATOR_PORT = 8082;

  @IsIn(['trace', 'debug', 'info', 'warn', 'error', 'silent'])
  LOG_LEVEL = 'info';

  @IsString()
  @Matches(/^[A-Za-z0-9._-]{1,100}$/, { message: 'letters, digits, dots, hyphens and underscores, at most 100' })
  INSTANCE = 'standalone';
}
