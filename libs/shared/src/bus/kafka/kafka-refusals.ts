import { CanaryError } from '../../errors.js';

/**
 * What a person must put right before Kafka can be used, told apart from a Kafka that is away. Each says what to do.
 * kafka-login-refused | kafka-certificate-untrusted | kafka-client-certificate-refused | kafka-not-tls | kafka-forbidden
 */
export type RefusalCode = (typeof REFUSAL_CODES)[number];
const REFUSAL_CODES = [
  'kafka-login-refused',
  'kafka-certificate-untrusted',
  'kafka-client-certificate-refused',
  'kafka-not-tls',
  'kafka-forbidden',
] as const;

/** An error as Kafka, TLS or kafkajs tell it; kafkajs wraps it in up to three layers. */
interface ErrorLayer {
  readonly name: string;
  readonly message: string;
  /** Kafka's name of it. */
  readonly type?: unknown;
  /** Node's. */
  readonly code?: unknown;
  readonly broker?: unknown;
}

const LAYERS_MAX = 6;

const UNTRUSTED: Readonly<Record<string, string>> = {
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'is signed by an authority that is not known here',
  UNABLE_TO_GET_ISSUER_CERT: 'is signed by an authority that is not known here',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'is signed by an authority that is not known here',
  SELF_SIGNED_CERT_IN_CHAIN: 'is signed by an authority that is not known here',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'is signed by itself',
  CERT_SIGNATURE_FAILURE: 'has a signature that is wrong',
  INVALID_CA: 'is signed by what is no authority',
};
const OUT_OF_DATE: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'has expired',
  CERT_NOT_YET_VALID: 'is not valid yet (or the clock here is wrong)',
};
const CLIENT_CERTIFICATE =
  /ALERT_(CERTIFICATE_REQUIRED|BAD_CERTIFICATE|UNKNOWN_CA|CERTIFICATE_(UNKNOWN|EXPIRED|REVOKED)|HANDSHAKE_FAILURE|DECRYPT_ERROR)/;
const NOT_TLS = /WRONG_VERSION_NUMBER|PACKET_LENGTH_TOO_LONG|HTTP_REQUEST|RECORD_LAYER_FAILURE/;
const FORBIDDEN = /^(TOPIC|GROUP|CLUSTER|TRANSACTIONAL_ID|DELEGATION_TOKEN)_AUTHORIZATION_FAILED$/;
const WHO = 'README, "Permissions", lists what each service needs';

/** The refusal that an error is at bottom, or null: then waiting may help. Never holds a secret. */
export function refusalOf(error: unknown): CanaryError | null {
  if (isRefusal(error)) return error;
  for (const layer of layersOf(error)) {
    const text = tlsText(layer) ?? loginText(layer) ?? forbiddenText(layer);
    if (text) return new CanaryError(text[0], text[1], { cause: error });
  }
  return null;
}

/** What may be wrong with the configuration if Kafka is up all the same, or null. */
export function hintFor(error: unknown): string | null {
  for (const { name, message } of layersOf(error)) {
    if (message.includes('before secure TLS connection was established'))
      return 'Kafka ends the connection before TLS is agreed on; if it is up, this port does not speak TLS: see KAFKA_BROKERS and KAFKA_SSL.';
    if (name === 'KafkaJSConnectionClosedError' || name === 'KafkaJSRequestTimeoutError')
      return 'Kafka takes the connection and does not answer on it; if it is up, this port wants TLS or a login: see KAFKA_SSL and KAFKA_SASL_MECHANISM.';
  }
  return null;
}

/** A refusal of this file, made by refusalOf(). */
export function isRefusal(error: unknown): error is CanaryError {
  return error instanceof CanaryError && (REFUSAL_CODES as readonly string[]).includes(error.code);
}

function layersOf(error: unknown): ErrorLayer[] {
  const layers: ErrorLayer[] = [];
  for (let e = error; e instanceof Error && layers.length < LAYERS_MAX; e = e.cause) layers.push(e);
  return layers;
}

function tlsText({ code, message, broker }: ErrorLayer): [RefusalCode, string] | null {
  if (typeof code !== 'string') return null;
  const who =
    typeof broker === 'string' ? `The certificate of Kafka's broker ${broker}` : "The certificate of Kafka's broker";
  const untrusted = UNTRUSTED[code];
  if (untrusted) return ['kafka-certificate-untrusted', `${who} ${untrusted}: name its authority in KAFKA_SSL_CA.`];
  const outOfDate = OUT_OF_DATE[code];
  if (outOfDate) return ['kafka-certificate-untrusted', `${who} ${outOfDate}: it has to be renewed there.`];
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    const reason = message.replace(/^.*altnames: /s, '');
    return [
      'kafka-certificate-untrusted',
      `${who} is for other names (${reason}): use a name in KAFKA_BROKERS and advertised.listeners that is in it.`,
    ];
  }
  if (CLIENT_CERTIFICATE.test(code)) {
    return [
      'kafka-client-certificate-refused',
      `Kafka does not accept our certificate (${code}): check KAFKA_SSL_CERT and KAFKA_SSL_KEY, when it expires, and that ` +
        'the broker trusts its authority.',
    ];
  }
  if (NOT_TLS.test(code)) {
    return [
      'kafka-not-tls',
      'Kafka does not speak TLS on this port: name its TLS port in KAFKA_BROKERS, or set KAFKA_SSL=false.',
    ];
  }
  return null;
}

function loginText({ name, type, message }: ErrorLayer): [RefusalCode, string] | null {
  const isLogin = name === 'KafkaJSSASLAuthenticationError' || type === 'SASL_AUTHENTICATION_FAILED';
  const isMechanism = type === 'UNSUPPORTED_SASL_MECHANISM' || message.includes('mechanism is not supported');
  if (isMechanism || type === 'ILLEGAL_SASL_STATE') {
    return [
      'kafka-login-refused',
      `Kafka does not log in this way on this port (${message}): check KAFKA_SASL_MECHANISM and the port in KAFKA_BROKERS.`,
    ];
  }
  if (!isLogin) return null;
  return [
    'kafka-login-refused',
    'Kafka refuses the login: check KAFKA_SASL_USERNAME, KAFKA_SASL_PASSWORD and KAFKA_SASL_MECHANISM, and that the broker ' +
      'knows this user.',
  ];
}

function forbiddenText({ type }: ErrorLayer): [RefusalCode, string] | null {
  if (typeof type !== 'string' || !FORBIDDEN.test(type)) return null;
  const what = type
    .replace(/_AUTHORIZATION_FAILED$/, '')
    .toLowerCase()
    .replaceAll('_', ' ');
  return ['kafka-forbidden', `Kafka forbids us something (${what}): the user lacks a permission. ${WHO}.`];
}
