import type { CommandContext, CommandTable } from '../command-context.js';
import { examine } from '../doctor/examine.js';
import type { Finding } from '../doctor/findings.js';
import { EXIT } from '../exit-codes.js';
import { print, printJson } from '../terminal.js';

export function addDoctorCommand(table: CommandTable): void {
  table.add<{ server?: string }>(
    'doctor',
    {
      summary:
        'look at controller, Kafka, topics, Redis, clocks, lag and labels, each finding with its remedy (KAFKA_BROKERS, REDIS_URL ... as for the services); exit code 1 when something failed',
      example: 'KAFKA_BROKERS=kafka-1:9092 REDIS_URL=redis://redis:6379 canaryctl doctor',
    },
    doctor,
  );
}

async function doctor({ terminal, output, screen }: CommandContext, { server }: { server?: string }): Promise<number> {
  const findings = await examine(terminal, server);
  const healthy = !findings.some(({ status }) => status === 'failed');
  if (output === 'json') printJson(terminal, { healthy, findings });
  else {
    const marks = {
      ok: screen.colors.green('ok      '),
      warning: screen.colors.yellow('warning '),
      failed: screen.colors.red('FAILED  '),
      'not-asked': screen.colors.dim('-       '),
    } as const satisfies Record<Finding['status'], string>;
    for (const { status, text, remedy } of findings) {
      print(terminal, `${marks[status]} ${text}`);
      if (remedy !== undefined) print(terminal, `${' '.repeat(9)}-> ${remedy}`);
    }
  }
  return healthy ? EXIT.ok : EXIT.error;
}
