import { ApiProperty, ApiPropertyOptional } from '@nestjs/swagger';
import type { Problem } from '@app/shared';
import { Transform } from 'class-transformer';
import {
  IsBoolean,
  IsIn,
  IsInt,
  IsNotEmpty,
  IsNumber,
  IsObject,
  IsOptional,
  IsPositive,
  IsString,
  Matches,
  Max,
  MaxLength,
  Min,
  type ValidationError,
} from 'class-validator';

const REASON_LENGTH_MAX = 2000;
/** Bounds stand twice: for class-validator, which refuses, and for the document, which tells. */
const reason = {
  description: 'Why, for those who read the history later.',
  maxLength: REASON_LENGTH_MAX,
  example: 'checked by hand',
};
const time = { type: 'integer', minimum: 0, maximum: Number.MAX_SAFE_INTEGER } as const;

const ToNumber = (): PropertyDecorator =>
  Transform(({ value }) => (typeof value === 'string' && value !== '' ? Number(value) : (value as unknown)));
const ToBoolean = (): PropertyDecorator =>
  Transform(({ value }) => (value === 'true' || value === '' ? true : value === 'false' ? false : (value as unknown)));

export class ReasonBody {
  @ApiPropertyOptional({ type: 'string', ...reason })
  @IsOptional()
  @IsString()
  @MaxLength(REASON_LENGTH_MAX)
  reason?: string;
}

export class AbortBody {
  @ApiProperty({ type: 'string', ...reason, pattern: '\\S' })
  @IsString()
  @Matches(/\S/, { message: 'reason: say why, for those who read the history later' })
  @MaxLength(REASON_LENGTH_MAX)
  reason!: string;
}

export class TrafficBody extends ReasonBody {
  @ApiProperty({
    description: 'Fractions that sum to 1 over known versions; those not named get nothing.',
    example: { v1: 0.9, v2: 0.1 },
    type: 'object',
    minProperties: 1,
    additionalProperties: { type: 'number', minimum: 0, maximum: 1 },
  })
  @IsObject()
  @IsNotEmpty()
  weights!: Record<string, unknown>;
}

export class ApplyQuery extends ReasonBody {
  @ApiPropertyOptional({ type: 'boolean', description: 'Only checks and estimates; nothing changes.' })
  @IsOptional()
  @ToBoolean()
  @IsBoolean()
  dryRun?: boolean;

  @ApiPropertyOptional({
    type: 'number',
    exclusiveMinimum: 0,
    description: 'Traffic to estimate with; the present one where windows are known.',
  } as object)
  @IsOptional()
  @ToNumber()
  @IsNumber()
  @IsPositive()
  predictionsPerSecond?: number;
}

export class HistoryQuery {
  @ApiPropertyOptional({
    type: 'integer',
    minimum: 1,
    maximum: 1000,
    default: 200,
    description: 'At most so many of the newest decisions.',
  })
  @IsOptional()
  @ToNumber()
  @IsInt()
  @Min(1)
  @Max(1000)
  limit = 200;
}

export class WindowsQuery {
  @ApiPropertyOptional({
    type: 'string',
    enum: ['10s', '1m'],
    default: '10s',
    description: '10s for an hour, 1m for a day.',
  })
  @IsOptional()
  @IsIn(['10s', '1m'])
  resolution: '10s' | '1m' = '10s';

  @ApiPropertyOptional({ ...time, description: 'Milliseconds since the epoch; default 15 minutes ago.' })
  @IsOptional()
  @ToNumber()
  @IsInt()
  @Min(0)
  @Max(Number.MAX_SAFE_INTEGER)
  from?: number;

  @ApiPropertyOptional({ ...time, description: 'Milliseconds since the epoch; default now.' })
  @IsOptional()
  @ToNumber()
  @IsInt()
  @Min(0)
  @Max(Number.MAX_SAFE_INTEGER)
  to?: number;
}

export class SeriesQuery {
  @ApiPropertyOptional({
    type: 'integer',
    minimum: 10,
    maximum: 2000,
    default: 400,
    description: 'At most about so many points.',
  })
  @IsOptional()
  @ToNumber()
  @IsInt()
  @Min(10)
  @Max(2000)
  points = 400;
}

export class EventsQuery {
  @ApiPropertyOptional({ type: 'string', description: 'Only of this model.' })
  @IsOptional()
  @IsString()
  model?: string;

  @ApiPropertyOptional({ type: 'string', enum: ['decision', 'verdict', 'state'], description: 'Only of this kind.' })
  @IsOptional()
  @IsIn(['decision', 'verdict', 'state'])
  kind?: 'decision' | 'verdict' | 'state';
}

/** class-validator's findings as problems with dotted fields. */
export function problemsOf(errors: readonly ValidationError[], parent = ''): Problem[] {
  return errors.flatMap((error) => {
    const field = parent ? `${parent}.${error.property}` : error.property;
    const own = Object.entries(error.constraints ?? {}).map(([code, message]) => ({
      field,
      code: code.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`),
      message: message.startsWith(error.property) ? message : `${field}: ${message}`,
    }));
    return [...own, ...problemsOf(error.children ?? [], field)];
  });
}
