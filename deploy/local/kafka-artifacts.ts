import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { CanaryError } from '@app/shared';
import { installPackage } from './debian.js';
import type { Say } from './local-server.js';
import { runTool } from './run-tool.js';

export const KAFKA_VERSION = '4.2.0';
const JAVA_MAJOR_MIN = 17;
const MAVEN_TIMEOUT_MS = 600_000;
const WAY_OUT = 'start Docker, or name a running Kafka in KAFKA_BROKERS';

/** slf4j-simple because Kafka's own POM brings no logging that would say why it does not start. */
const POM = `<project>
  <modelVersion>4.0.0</modelVersion><groupId>local</groupId><artifactId>kafka</artifactId><version>1</version>
  <dependencies>
    <dependency><groupId>org.apache.kafka</groupId><artifactId>kafka_2.13</artifactId><version>${KAFKA_VERSION}</version></dependency>
    <dependency><groupId>org.slf4j</groupId><artifactId>slf4j-simple</artifactId><version>1.7.36</version></dependency>
  </dependencies>
</project>
`;

/** Where fetched things stay between runs and clones. */
export const cacheFolder = (): string => process.env.MODEL_CANARY_CACHE || join(homedir(), '.cache', 'model-canary');

/** A Java that can run Kafka, installed if need be. Throws CanaryError `no-java`. */
export async function findJava(say: Say): Promise<string> {
  const home = process.env.JAVA_HOME;
  const candidates = [...(home ? [join(home, 'bin', 'java')] : []), 'java'];
  for (const java of candidates) if ((await javaMajor(java)) >= JAVA_MAJOR_MIN) return java;
  const packages = ['openjdk-17-jre-headless', 'openjdk-21-jre-headless', 'default-jre-headless'];
  if ((await installPackage(packages, say)) && (await javaMajor('java')) >= JAVA_MAJOR_MIN) return 'java';
  throw new CanaryError(
    'no-java',
    `A local Kafka needs Java ${JAVA_MAJOR_MIN} or newer, which is neither here nor could be installed: install it, or ${WAY_OUT}.`,
  );
}

async function javaMajor(java: string): Promise<number> {
  const { output } = await runTool(java, ['-version'], { timeoutMs: 20_000 });
  return Number(/version "(\d+)/.exec(output)?.[1] ?? 0);
}

/** The folder with Kafka's jars, fetched with Maven the first time. Throws CanaryError `no-kafka`. */
export async function kafkaJars(say: Say): Promise<string> {
  const jars = join(cacheFolder(), `kafka-${KAFKA_VERSION}`);
  if (existsSync(jars)) return jars;
  if ((await runTool('mvn', ['-v'], { timeoutMs: 30_000 })).code !== 0 && !(await installPackage(['maven'], say))) {
    throw new CanaryError(
      'no-kafka',
      `A local Kafka is fetched with Maven, which is neither here nor could be installed: install maven, or ${WAY_OUT}.`,
    );
  }
  say(`Fetching Kafka ${KAFKA_VERSION} with Maven (43 MB, once) ...`);
  await mkdir(cacheFolder(), { recursive: true });
  const work = await mkdtemp(join(cacheFolder(), 'fetching-'));
  try {
    await writeFile(join(work, 'pom.xml'), POM);
    const goal = ['dependency:copy-dependencies', '-DincludeScope=runtime', '-DoutputDirectory=lib'];
    const { code, output } = await runTool('mvn', ['-q', '-B', ...goal], { timeoutMs: MAVEN_TIMEOUT_MS, cwd: work });
    if (code !== 0) {
      const cause = /\[ERROR\] (.*)/.exec(output)?.[1] ?? output.trim().slice(-300);
      throw new CanaryError('no-kafka', `Kafka could not be fetched with Maven (${cause}): try again, or ${WAY_OUT}.`);
    }
    // Whole or not at all: another run may look for it at this moment.
    await rename(join(work, 'lib'), jars).catch((error: unknown) => {
      if (!existsSync(jars)) throw error;
    });
  } finally {
    await rm(work, { recursive: true, force: true });
  }
  return jars;
}
