import { MinirtError } from '../../base/errors.ts';
import { parseObject, textIn } from '../json.ts';
import { type Challenge, parseChallenges } from './challenge.ts';
import type { Credentials } from './credentials.ts';
import { type Answer, type Transport, place, readBody } from './transport.ts';

/** Tokens are a few KiB. */
const LARGEST_TOKEN = 1024 * 1024;
/** Of a token that does not say (distribution/spec: token authentication). */
const LIFE_SECONDS = 60;
/** A token is not used in its last moments. */
const SPARE_MS = 5_000;
const CLIENT = 'minirt';

export interface AccessOptions {
  readonly transport: Transport;
  /** Of the registry. */
  readonly origin: URL;
  /** `repository:library/nginx:pull`; empty: only who one is. */
  readonly scope: string;
  readonly credentials: Credentials | undefined;
}

/** What is sent with requests to one registry, as the registry asks for it. */
export class Access {
  readonly #options: AccessOptions;
  #header: { readonly value: string; readonly until: number } | undefined;

  constructor(options: AccessOptions) {
    this.#options = options;
  }

  /** Value of `Authorization`; undefined before the registry asked for anything. */
  get header(): string | undefined {
    return this.#header !== undefined && performance.now() < this.#header.until ? this.#header.value : undefined;
  }

  /**
   * Gets what a 401 of the registry asks for; answers false when there is nothing to offer.
   * @throws MinirtError registry.refused, registry.unreachable
   */
  async obtain(refusal: Answer, signal: AbortSignal): Promise<boolean> {
    const challenges = parseChallenges(refusal.headers['www-authenticate']);
    const bearer = challenges.find(({ scheme }) => scheme === 'bearer');
    if (bearer !== undefined) {
      this.#header = await this.#token(bearer, signal);
      return true;
    }
    const { credentials } = this.#options;
    if (credentials?.kind !== 'password' || !challenges.some(({ scheme }) => scheme === 'basic')) return false;
    this.#header = { value: basic(credentials), until: Infinity };
    return true;
  }

  async #token({ parameters }: Challenge, signal: AbortSignal): Promise<{ value: string; until: number }> {
    const { transport, scope, credentials } = this.#options;
    const realm = this.#realm(parameters.get('realm'));
    const service = parameters.get('service');
    const asked: [string, string][] = service === undefined ? [] : [['service', service]];
    const scopes = scope === '' ? [] : [['scope', scope] as [string, string]];
    const began = performance.now();
    let answer: Answer;
    if (credentials?.kind === 'identity') {
      const grant: [string, string][] = [
        ['grant_type', 'refresh_token'],
        ['client_id', CLIENT],
        ['refresh_token', credentials.token],
      ];
      answer = await transport.send({ url: realm, form: new URLSearchParams([...grant, ...asked, ...scopes]) }, signal);
    } else {
      const url = new URL(realm);
      for (const [name, value] of [...asked, ...scopes]) url.searchParams.append(name, value);
      answer = await transport.send({ url, authorization: credentials && basic(credentials) }, signal);
    }
    const bytes = await readBody(answer, LARGEST_TOKEN);
    if (answer.status !== 200) {
      throw new MinirtError('registry.refused', `get token: ${place(realm)}: the server answered ${answer.status}`, {
        hint: credentials === undefined ? 'log in with `minirt login`' : 'the name or the password is wrong',
      });
    }
    const document = parseObject(bytes, 'token');
    const token = textIn(document, 'token', 'token') ?? textIn(document, 'access_token', 'token');
    if (token === undefined || !/^[\x21-\x7e]+$/.test(token))
      throw new MinirtError('registry.refused', `get token: ${place(realm)}: the answer has none`);
    const life = document['expires_in'];
    const seconds = typeof life === 'number' && life > 0 ? life : LIFE_SECONDS;
    return { value: `Bearer ${token}`, until: began + Math.max(seconds * 1000 - SPARE_MS, 1000) };
  }

  /** A registry that is asked over TLS may not send credentials, or the token that stands for them, over an open wire. */
  #realm(text: string | undefined): URL {
    const { origin, transport } = this.#options;
    const url = text !== undefined && URL.canParse(text) ? new URL(text) : undefined;
    const allowed = origin.protocol === 'https:' && transport.verifies ? ['https:'] : ['https:', 'http:'];
    if (url !== undefined && allowed.includes(url.protocol) && url.username === '' && url.password === '') return url;
    throw new MinirtError(
      'registry.refused',
      `get token: ${origin.host}: the realm ${JSON.stringify(text)} is refused`,
      {
        hint: `a realm is an ${allowed.join(' or ').replaceAll(':', '')} URL`,
      },
    );
  }
}

function basic(credentials: Extract<Credentials, { kind: 'password' }>): string {
  return `Basic ${Buffer.from(`${credentials.username}:${credentials.password}`).toString('base64')}`;
}
