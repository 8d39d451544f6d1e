import type { IncomingHttpHeaders } from 'node:http';
import { EnvHttpProxyAgent, request } from 'undici';
import { abortReason } from '../../base/clock.ts';
import { MinirtError, messageOf } from '../../base/errors.ts';
import { type Patience, backOff, isTransientError, isTransientStatus, pause, retryAfter } from './retry.ts';
import { type TlsFiles, tlsFiles } from './tls.ts';

const MOST_REDIRECTS = 5;
const CONNECT_MS = 15_000;
/** What is left of an answer that nobody wants; more than this, and its connection goes. */
const LEFT_OVER = 128 * 1024;

export interface TransportOptions {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** False: any certificate will do, and plain http. */
  readonly verify: boolean;
  readonly certificateFolders: readonly string[];
  readonly patience: Patience;
}

export interface Ask {
  readonly url: URL;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent to the very origin that `url` names, and to no other that it leads to. */
  readonly authorization?: string | undefined;
  /** Makes it a POST, which is never led elsewhere. */
  readonly form?: URLSearchParams;
  /** True: the first answer counts, redirects included, and the first failure. */
  readonly once?: boolean;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Awaited<ReturnType<typeof request>>['body'];
  /** Where it came from in the end. */
  readonly url: URL;
}

/** Requests to a registry and to where it leads: with proxies, certificates, redirects and further tries. */
export class Transport implements AsyncDisposable {
  readonly #options: TransportOptions;
  readonly #agents = new Map<string, Promise<EnvHttpProxyAgent>>();

  constructor(options: TransportOptions) {
    this.#options = options;
  }

  get patience(): Patience {
    return this.#options.patience;
  }

  get verifies(): boolean {
    return this.#options.verify;
  }

  /**
   * Asks until there is an answer that is no redirect, and none that another try may change.
   * @throws MinirtError registry.unreachable
   */
  async send(ask: Ask, signal: AbortSignal): Promise<Answer> {
    const { patience } = this.#options;
    for (let failures = 1; ; failures++) {
      const isLast = ask.once === true || failures >= patience.tries;
      let wait = backOff(patience, failures, Math.random());
      try {
        const answer = await this.#follow(ask, signal);
        if (!isTransientStatus(answer.status)) return answer;
        const asked = retryAfter(answer.headers['retry-after'], new Date());
        if (isLast || (asked ?? 0) > patience.longest) return answer;
        await discard(answer);
        wait = Math.max(asked ?? 0, wait);
      } catch (error) {
        if (signal.aborted) throw abortReason(signal);
        if (error instanceof MinirtError) throw error;
        if (isLast || !isTransientError(error)) throw unreachable(ask.url, error);
      }
      await pause(wait, signal);
    }
  }

  /** One try, without any wait. Throws what the connection threw. */
  async #follow({ url, headers = {}, authorization, form, once }: Ask, signal: AbortSignal): Promise<Answer> {
    let at = url;
    for (let redirects = 0; ; redirects++) {
      const answer = await this.#once(at, {
        // Whoever is at another host, scheme or port gets no credentials (CVE-2020-15157).
        headers: at.origin === url.origin && authorization !== undefined ? { ...headers, authorization } : headers,
        form,
        signal,
      });
      const location = answer.headers.location;
      if (![301, 302, 303, 307, 308].includes(answer.status) || location === undefined || once === true) return answer;
      await discard(answer);
      if (form !== undefined || redirects === MOST_REDIRECTS)
        throw new MinirtError(
          'registry.unreachable',
          `ask registry: ${place(url)}: it leads elsewhere again and again`,
        );
      const next = URL.canParse(location, at.href) ? new URL(location, at) : undefined;
      const allowed = at.protocol === 'https:' && this.#options.verify ? ['https:'] : ['https:', 'http:'];
      if (next === undefined || !allowed.includes(next.protocol) || next.username !== '' || next.password !== '')
        throw new MinirtError(
          'registry.refused',
          `ask registry: ${place(url)}: it leads to where minirt does not follow`,
        );
      at = next;
    }
  }

  async #once(
    url: URL,
    ask: { headers: Readonly<Record<string, string>>; form: URLSearchParams | undefined; signal: AbortSignal },
  ): Promise<Answer> {
    const { stall } = this.#options.patience;
    const form = ask.form && { 'content-type': 'application/x-www-form-urlencoded' };
    const { statusCode, headers, body } = await request(url, {
      method: ask.form === undefined ? 'GET' : 'POST',
      headers: { 'user-agent': 'minirt', ...form, ...ask.headers },
      body: ask.form?.toString() ?? null,
      dispatcher: await this.#agentOf(url),
      signal: ask.signal,
      headersTimeout: stall,
      bodyTimeout: stall,
    });
    return { status: statusCode, headers, body, url };
  }

  #agentOf(url: URL): Promise<EnvHttpProxyAgent> {
    const known = this.#agents.get(url.origin);
    if (known !== undefined) return known;
    const made = this.#makeAgent(url);
    this.#agents.set(url.origin, made);
    return made;
  }

  async #makeAgent({ protocol, host }: URL): Promise<EnvHttpProxyAgent> {
    const { env, verify, certificateFolders } = this.#options;
    const isTls = protocol === 'https:';
    const of = (name: string): string => env[name.toLowerCase()] || env[name] || '';
    const proxy = of(isTls ? 'HTTPS_PROXY' : 'HTTP_PROXY');
    const tls = isTls ? tlsOptions(await tlsFiles(host, certificateFolders), verify) : {};
    return new EnvHttpProxyAgent({
      httpProxy: proxy,
      httpsProxy: proxy,
      noProxy: of('NO_PROXY'),
      connect: { ...tls, timeout: CONNECT_MS },
      requestTls: tls,
    });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const agent of this.#agents.values()) await (await agent).destroy();
  }
}

function tlsOptions({ ca, cert, key }: TlsFiles, verify: boolean): object {
  return {
    ca: [...ca],
    ...(cert.length > 0 && key.length > 0 ? { cert: [...cert], key: [...key] } : {}),
    rejectUnauthorized: verify,
  };
}

/** Lets go of an answer whose body nobody reads. */
export async function discard({ body }: Answer): Promise<void> {
  await body.dump({ limit: LEFT_OVER }).catch(() => undefined);
}

/** A whole body, which is small. @throws MinirtError image.invalid when it is not */
export async function readBody({ body, url }: Answer, limit: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > limit)
      throw new MinirtError('image.invalid', `ask registry: ${place(url)}: answers over ${limit} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** Where a URL leads, without what may be secret in it. */
export function place({ origin, pathname }: URL): string {
  return `${origin}${pathname}`;
}

export function unreachable(url: URL, cause: unknown): MinirtError {
  const errors = cause instanceof AggregateError ? (cause.errors as unknown[]) : [cause];
  const code = (errors[0] as { code?: unknown } | undefined)?.code;
  const isCertificate = typeof code === 'string' && /CERT|SIGNATURE|SELF_SIGNED/.test(code);
  const why = [...new Set(errors.map(messageOf))].join('; ') || String(code);
  return new MinirtError('registry.unreachable', `ask registry: ${place(url)}: ${why}`, {
    cause,
    ...(isCertificate
      ? {
          hint: `put the CA of ${url.host} into /etc/docker/certs.d/${url.host}/ca.crt, or pull with --tls-verify=false`,
        }
      : {}),
  });
}
