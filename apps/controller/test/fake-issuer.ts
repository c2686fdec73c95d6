import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { exportJWK, generateKeyPair, type JWK, SignJWT } from 'jose';

export const AUDIENCE = 'model-canary';

/** An OpenID Connect provider on loopback, as far as verifiers see one. */
export class FakeIssuer {
  private readonly server: Server;
  private keys: { kid: string; privateKey: Parameters<SignJWT['sign']>[0]; jwk: JWK }[] = [];
  /** Answers nobody while true. */
  away = false;

  constructor() {
    this.server = createServer((request, response) => {
      if (this.away) return void response.writeHead(503).end();
      const body = request.url?.endsWith('/keys')
        ? { keys: this.keys.map(({ jwk }) => jwk) }
        : { issuer: this.url, jwks_uri: `${this.url}/keys` };
      response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    });
  }

  get url(): string {
    return `http://127.0.0.1:${(this.server.address() as AddressInfo).port}`;
  }

  async start(): Promise<void> {
    await this.rotate('key-1');
    await new Promise<void>((resolve) => this.server.listen(0, '127.0.0.1', resolve));
  }

  /** A new signing key in place of the old ones. */
  async rotate(kid: string): Promise<void> {
    const { publicKey, privateKey } = await generateKeyPair('ES256');
    this.keys = [{ kid, privateKey, jwk: { ...(await exportJWK(publicKey)), kid, alg: 'ES256' } }];
  }

  async token(claims: Record<string, unknown> = {}, change: (jwt: SignJWT) => SignJWT = withAnEnd): Promise<string> {
    const { kid, privateKey } = this.keys[0]!;
    const jwt = new SignJWT({ sub: 'ada', roles: ['ml-oncall'], ...claims })
      .setProtectedHeader({ alg: 'ES256', kid })
      .setIssuer(this.url)
      .setAudience(AUDIENCE)
      .setIssuedAt();
    return change(jwt).sign(privateKey);
  }

  close(): Promise<void> {
    return new Promise((resolve) => this.server.close(() => resolve()));
  }
}

export const withAnEnd = (jwt: SignJWT): SignJWT => jwt.setExpirationTime('5m');
