import { type KeyObject, createHash, createSign } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { HOST, Servers } from './servers.ts';

export interface TokenAsk {
  readonly method: string;
  readonly authorization: string | undefined;
  readonly scope: string | null;
  readonly grant: string | null;
}

export interface TokenRules {
  readonly key: KeyObject;
  /** PEM of its certificate, which the registry trusts. */
  readonly certificate: string;
  /** Who may pull; undefined: everybody. */
  readonly user?: { readonly name: string; readonly password: string; readonly identity: string };
  /** Seconds; default 60. */
  readonly life?: number;
}

/** Hands out tokens as docker-registry's `auth.token` takes them. */
export class TokenServer implements AsyncDisposable {
  readonly asked: TokenAsk[] = [];
  readonly #servers = new Servers();
  readonly #rules: TokenRules;
  #port = 0;

  private constructor(rules: TokenRules) {
    this.#rules = rules;
  }

  static async start(rules: TokenRules): Promise<TokenServer> {
    const server = new TokenServer(rules);
    server.#port = await server.#servers.serve((request, response) => {
      void server.#answer(request, response);
    });
    return server;
  }

  get realm(): string {
    return `http://${HOST}:${this.#port}/token`;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const form = new URLSearchParams(Buffer.concat(chunks).toString());
    const given = request.method === 'POST' ? form : new URL(request.url ?? '', this.realm).searchParams;
    const { authorization } = request.headers;
    this.asked.push({
      method: request.method ?? '',
      authorization,
      scope: given.get('scope'),
      grant: given.get('grant_type'),
    });
    const { user, life = 60 } = this.#rules;
    const basic = user && `Basic ${Buffer.from(`${user.name}:${user.password}`).toString('base64')}`;
    if (user !== undefined && authorization !== basic && form.get('refresh_token') !== user.identity) {
      response.writeHead(401).end();
      return;
    }
    const token = this.#sign(given.get('service') ?? '', given.get('scope') ?? '');
    response.end(JSON.stringify({ [request.method === 'POST' ? 'access_token' : 'token']: token, expires_in: life }));
  }

  #sign(service: string, scope: string): string {
    const { key, certificate } = this.#rules;
    const now = Math.floor(Date.now() / 1000);
    const [type, name, actions = ''] = scope.split(':');
    const access = scope === '' ? [] : [{ type, name, actions: actions.split(',') }];
    const chain = certificate.replace(/-----[^-]+-----|\s/g, '');
    const header = { typ: 'JWT', alg: 'RS256', x5c: [chain] };
    const { life = 60 } = this.#rules;
    const claims = {
      iss: 'minirt-tests',
      sub: 'user',
      aud: service,
      exp: now + life,
      nbf: now - 10,
      iat: now,
      jti: createHash('sha256').update(String(this.asked.length)).digest('hex').slice(0, 8),
      access,
    };
    const text = [header, claims].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.');
    return `${text}.${createSign('RSA-SHA256').update(text).sign(key).toString('base64url')}`;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#servers[Symbol.asyncDispose]();
  }
}
