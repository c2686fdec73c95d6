import { SealingConfig, ToBoolean, ToNumber } from '@app/shared/core';
import { IsBoolean, IsIn, IsInt, IsOptional, IsString, Matches, Max, Min } from 'class-validator';

const MIB = 1024 * 1024;
const HEADER_NAME = /^[A-Za-z0-9-]{1,100}$/;

/** The router's environment. Secrets may also come as NAME_FILE, the path of a file that holds them. */
export class RouterConfig extends SealingConfig {
  /** Directory for the last known weights and the spool, kept across restarts. One router at a time may use it. */
  @IsString()
  ROUTER_DATA_DIR = './data/router';

  /**
   * Processes that share the port, one a core at most: with more than one, connections are dealt out among them, and
   * each gets its share of every bound, a version's maxConcurrency too.
   */
  @ToNumber()
  @IsInt()
  @Min(1)
  @Max(64)
  ROUTER_WORKERS = 1;

  /** Request header that names the user: the same value stays on the same version. */
  @Matches(HEADER_NAME, { message: 'a header name' })
  ROUTER_USER_HEADER = 'x-user-id';

  /** Requests without that header get a cookie of ours (mc_unit), and stay on their version by it. */
  @ToBoolean()
  @IsBoolean()
  ROUTER_USER_COOKIE = false;

  /** Request header by which a tester names the version; unset: off. Such predictions are shown, never counted. */
  @IsOptional()
  @Matches(HEADER_NAME, { message: 'a header name' })
  ROUTER_OVERRIDE_HEADER?: string;

  /**
   * A client has this long to send a request, and may stop reading an answer for this long; then its connection is
   * closed.
   */
  @ToNumber()
  @IsInt()
  @Min(100)
  @Max(3_600_000)
  ROUTER_CLIENT_TIMEOUT_MS = 60_000;

  /** Longer request bodies are refused with 413. */
  @ToNumber()
  @IsInt()
  @Min(1)
  ROUTER_BODY_BYTES_MAX = 10 * MIB;

  /** A prediction is tried again on stable only if its body is no longer than this. */
  @ToNumber()
  @IsInt()
  @Min(0)
  ROUTER_RETRY_BODY_BYTES_MAX = MIB;

  /** Request bodies held in memory at once, all together; beyond that requests are refused with 503. */
  @ToNumber()
  @IsInt()
  @Min(MIB)
  ROUTER_BUFFER_BYTES_MAX = 256 * MIB;

  /** Copies under way in shadow steps, of all models; beyond that predictions are not copied. */
  @ToNumber()
  @IsInt()
  @Min(0)
  ROUTER_SHADOW_IN_FLIGHT_MAX = 256;

  /** JSON answers up to this length are held until complete, so that the prediction in them can be sealed into the id. */
  @ToNumber()
  @IsInt()
  @Min(0)
  ROUTER_ANSWER_BYTES_MAX = 256 * 1024;

  /** Outcomes are collected before they are sent: for this long when there are many of them ... */
  @ToNumber()
  @IsInt()
  @Min(1)
  @Max(1000)
  ROUTER_FLUSH_MS = 10;

  /** ... and for this long when there are few. */
  @ToNumber()
  @IsInt()
  @Min(1)
  @Max(1000)
  ROUTER_FLUSH_MS_MAX = 100;

  /** Producers that share the lanes. One whose partition's leader is away holds up only its own lanes. */
  @ToNumber()
  @IsInt()
  @Min(1)
  @Max(64)
  ROUTER_PRODUCERS = 3;

  /** Partitions of prediction-outcome, if neither Kafka nor the data directory says it at the start. */
  @ToNumber()
  @IsInt()
  @Min(1)
  @Max(10_000)
  ROUTER_OUTCOME_PARTITIONS = 12;

  /** Outcomes kept on disk while Kafka is away, at most; the oldest go first. */
  @ToNumber()
  @IsInt()
  @Min(MIB)
  ROUTER_SPOOL_BYTES_MAX = 1024 * MIB;

  /** Outcomes that Kafka has not acknowledged after this time are written to the spool, too. */
  @ToNumber()
  @IsInt()
  @Min(0)
  @Max(10_000)
  ROUTER_JOURNAL_AFTER_MS = 100;

  /** When the spool is fsynced: `always` (after every write), every `second`, or `never`: it survives the process, not the machine. */
  @IsIn(['always', 'second', 'never'])
  ROUTER_SPOOL_FSYNC: 'always' | 'second' | 'never' = 'second';

  /** Spooled records each producer sends on in a second, at most. Must exceed what comes in. */
  @ToNumber()
  @IsInt()
  @Min(1)
  ROUTER_REPLAY_PER_SECOND = 20_000;

  /**
   * Headers added to requests to model servers, a secret: JSON of {version or "*": {header: value}}. They replace the
   * client's headers of the same name.
   */
  @IsOptional()
  @IsString()
  ROUTER_UPSTREAM_HEADERS?: string;

  /** Certificate authorities (PEM) for https model servers, instead of the system's. */
  @IsOptional()
  @IsString()
  ROUTER_UPSTREAM_CA?: string;

  /** Client certificate (PEM) for model servers that ask for one. */
  @IsOptional()
  @IsString()
  ROUTER_UPSTREAM_CERT?: string;

  /** Its private key (PEM). */
  @IsOptional()
  @IsString()
  ROUTER_UPSTREAM_KEY?: string;

  /** After SIGTERM new requests are still taken for this long, so that load balancers can turn away first. */
  @ToNumber()
  @IsInt()
  @Min(0)
  @Max(5000)
  ROUTER_DRAIN_DELAY_MS = 500;
}
