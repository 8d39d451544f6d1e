import { abortReason } from '../../base/clock.ts';
import { MinirtError, isMinirtError } from '../../base/errors.ts';
import { LARGEST_JSON, isObject } from '../json.ts';
import { ACCEPTED, type Descriptor } from '../manifest.ts';
import { Access } from './access.ts';
import type { Credentials } from './credentials.ts';
import { backOff, isTransientError, pause } from './retry.ts';
import { type Answer, type Transport, discard, place, readBody, unreachable } from './transport.ts';

/** Docker's registry is not at the name that references have. */
const HOSTS: Readonly<Record<string, string>> = { 'docker.io': 'registry-1.docker.io' };
/** A download that came this far since it last broke has not failed in vain. */
const PROGRESS = 1024 * 1024;
const LOOPBACK = /^(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?$/;

export interface RepositoryOptions {
  readonly transport: Transport;
  /** Of a reference: `docker.io`. */
  readonly domain: string;
  /** `library/nginx` */
  readonly path: string;
  readonly credentials: Credentials | undefined;
}

/** Where a registry answers: over https, and only on this host (or when nobody verifies) over plain http when https fails. */
export async function findOrigin(transport: Transport, domain: string, signal: AbortSignal): Promise<URL> {
  const host = HOSTS[domain] ?? domain;
  const secure = new URL(`https://${host}/v2/`);
  if (!LOOPBACK.test(host) && transport.verifies) return secure;
  try {
    await discard(await transport.send({ url: secure, once: true }, signal));
    return secure;
  } catch (error) {
    if (signal.aborted) throw abortReason(signal);
    // Somebody who speaks TLS, but is not trusted, gets nothing over an open wire.
    if (!isMinirtError(error, 'registry.unreachable') || error.hint !== undefined) throw error;
    return new URL(`http://${host}/v2/`);
  }
}

/** One repository of a registry, by the OCI distribution specification. */
export class Repository {
  readonly #options: RepositoryOptions;
  readonly #origin: URL;
  readonly #access: Access;

  private constructor(options: RepositoryOptions, origin: URL) {
    this.#options = options;
    this.#origin = origin;
    const { transport, path, credentials } = options;
    this.#access = new Access({ transport, origin, scope: `repository:${path}:pull`, credentials });
  }

  static async open(options: RepositoryOptions, signal: AbortSignal): Promise<Repository> {
    return new Repository(options, await findOrigin(options.transport, options.domain, signal));
  }

  /**
   * A manifest or an index by tag or digest, as it came: nothing of it is verified yet.
   * @throws MinirtError image.not-found, image.invalid, registry.refused, registry.unreachable
   */
  async manifest(
    name: string,
    signal: AbortSignal,
  ): Promise<{ readonly bytes: Buffer; readonly mediaType: string | undefined; readonly digest: string | undefined }> {
    const answer = await this.#get(`manifests/${name}`, { accept: ACCEPTED.join(', ') }, signal);
    const digest = answer.headers['docker-content-digest'];
    return {
      bytes: await this.#whole(answer),
      mediaType: mediaTypeOf(answer.headers['content-type']),
      digest: typeof digest === 'string' ? digest : undefined,
    };
  }

  /**
   * The bytes of a blob, as they come: nothing of them is verified yet. A download that breaks goes on where it was.
   * @throws MinirtError image.not-found, registry.refused, registry.unreachable
   */
  async *blob({ digest, size }: Descriptor, signal: AbortSignal): AsyncGenerator<Buffer> {
    const { patience } = this.#options.transport;
    let at = 0;
    let since = 0;
    for (let failures = 0; ;) {
      const range: Record<string, string> = at > 0 ? { range: `bytes=${at}-` } : {};
      const answer = await this.#get(`blobs/${digest}`, range, signal);
      let skip = at - startOf(answer);
      try {
        for await (const chunk of answer.body as AsyncIterable<Buffer>) {
          const fresh = chunk.subarray(Math.min(skip, chunk.length));
          skip -= chunk.length - fresh.length;
          at += fresh.length;
          if (fresh.length > 0) yield fresh;
        }
        if (at >= size) return;
        throw new MinirtError('registry.unreachable', `get blob: ${digest}: it ends after ${at} of ${size} bytes`);
      } catch (error) {
        if (signal.aborted) throw abortReason(signal);
        if (!(error instanceof MinirtError) && !isTransientError(error)) throw unreachable(answer.url, error);
        failures = at - since >= PROGRESS ? 1 : failures + 1;
        since = at;
        if (failures >= patience.tries) throw error instanceof MinirtError ? error : unreachable(answer.url, error);
      }
      await pause(backOff(patience, failures, Math.random()), signal);
    }
  }

  async #get(path: string, headers: Readonly<Record<string, string>>, signal: AbortSignal): Promise<Answer> {
    const url = new URL(`${this.#options.path}/${path}`, this.#origin);
    for (let isFirst = true; ; isFirst = false) {
      const answer = await this.#options.transport.send({ url, headers, authorization: this.#access.header }, signal);
      if (answer.status === 200 || answer.status === 206) return answer;
      // Who is not the registry has nothing to ask of those who come from it.
      const isOwn = answer.url.origin === this.#origin.origin;
      if (answer.status === 401 && isFirst && isOwn && (await this.#access.obtain(answer, signal))) {
        await discard(answer);
        continue;
      }
      throw await this.#refusal(answer, url);
    }
  }

  async #whole(answer: Answer): Promise<Buffer> {
    try {
      return await readBody(answer, LARGEST_JSON);
    } catch (error) {
      throw error instanceof MinirtError ? error : unreachable(answer.url, error);
    }
  }

  async #refusal(answer: Answer, url: URL): Promise<MinirtError> {
    const { domain, path, credentials } = this.#options;
    const said = saidIn(await readBody(answer, LARGEST_JSON).catch(() => Buffer.alloc(0)));
    const why = `${domain}/${path}: the registry answered ${answer.status}${said === '' ? '' : ` (${said})`}`;
    const details = { url: place(url), status: answer.status };
    if (answer.status === 401 || answer.status === 403) {
      const hint = credentials === undefined ? `\`minirt login ${domain}\` first` : 'these credentials do not do';
      return new MinirtError('registry.refused', `pull access denied: ${why}`, { details, hint });
    }
    if (answer.status === 404) return new MinirtError('image.not-found', `find image: ${why}`, { details });
    if (answer.status === 429) {
      const hint = `it limits how often one may pull; \`minirt login ${domain}\` may allow for more`;
      return new MinirtError('registry.unreachable', `ask registry: ${why}`, { details, hint });
    }
    return new MinirtError('registry.unreachable', `ask registry: ${why}`, { details });
  }
}

/** Where the bytes of an answer begin in the blob. A part that was not asked for is refused with the blob's digest. */
function startOf({ status, headers }: Answer): number {
  if (status !== 206) return 0;
  const range = headers['content-range'];
  return Number(/^bytes (\d+)-/.exec(typeof range === 'string' ? range : '')?.[1] ?? 0);
}

/** Types that say nothing leave it to the document. */
function mediaTypeOf(header: string | undefined): string | undefined {
  const type = header?.split(';')[0]?.trim().toLowerCase();
  return type?.startsWith('application/vnd.') === true ? type : undefined;
}

/** What the registry says, fit for a terminal: other people's text. */
function saidIn(bytes: Buffer): string {
  try {
    const document: unknown = JSON.parse(bytes.toString('utf8'));
    const errors = isObject(document) && Array.isArray(document['errors']) ? (document['errors'] as unknown[]) : [];
    const texts = errors.flatMap((one) => (isObject(one) ? [`${String(one['code'])}: ${String(one['message'])}`] : []));
    return texts
      .join(', ')
      .replace(/[^\x20-\x7e]/g, '?')
      .slice(0, 300);
  } catch {
    return '';
  }
}
