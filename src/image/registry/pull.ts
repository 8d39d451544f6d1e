import { setMaxListeners } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { MinirtError, isMinirtError } from '../../base/errors.ts';
import { parseConfig } from '../config.ts';
import { digestOf } from '../digest.ts';
import { readDocument } from '../files.ts';
import { LARGEST_JSON } from '../json.ts';
import { type StagedImage, checkConfig } from '../layout.ts';
import { type Descriptor, type Platform, choosePlatform, parseDocument } from '../manifest.ts';
import { type Reference, formatReference } from '../reference.ts';
import type { Staging } from '../staging.ts';
import { readAuthFiles } from './auth-files.ts';
import { Repository } from './client.ts';
import { type Credentials, type KnownCredentials, credentialsFor } from './credentials.ts';
import { type RegistrySource, readRegistries, sourcesOf } from './registries.ts';
import { PATIENCE, type Patience } from './retry.ts';
import { CERTIFICATE_FOLDERS } from './tls.ts';
import { Transport } from './transport.ts';

/** Layers that come at once, as Docker's default is. */
const AT_ONCE = 3;
/** Indexes may lead to indexes; nobody needs more. */
const DEEPEST_INDEX = 4;

/** How a pull goes on. */
export type PullProgress =
  | { readonly kind: 'layers'; readonly layers: readonly { readonly digest: string; readonly size: number }[] }
  | { readonly kind: 'bytes'; readonly digest: string; readonly count: number }
  | { readonly kind: 'unpack' };

export interface PullOptions {
  /** Proxies, and where credentials are. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  /** Tried before those of files. */
  readonly credentials?: readonly KnownCredentials[];
  /** Default true. */
  readonly tlsVerify?: boolean;
  readonly certificateFolders?: readonly string[];
  /** Else this host's. */
  readonly platform?: Platform;
  readonly patience?: Patience;
  readonly onProgress?: (progress: PullProgress) => void;
}

export interface PullStage {
  readonly staging: Staging;
  readonly signal: AbortSignal;
}

/** The client's end of all connections of one pull or login. */
export function openTransport(options: PullOptions): Transport {
  const {
    env = process.env,
    tlsVerify = true,
    certificateFolders = CERTIFICATE_FOLDERS,
    patience = PATIENCE,
  } = options;
  return new Transport({ env, verify: tlsVerify, certificateFolders, patience });
}

/**
 * Brings what is missing of an image into the staging folder, verified: from the first of its places that has it, mirrors before
 * its own registry.
 * @throws MinirtError image.not-found, image.invalid, image.unsupported, image.digest-mismatch, registry.config, registry.refused,
 * registry.unreachable; what became of mirrors is said with it
 */
export async function stageRemote(stage: PullStage, reference: Reference, options: PullOptions): Promise<StagedImage> {
  const sources = sourcesOf(await readRegistries(options.env ?? process.env), reference);
  const failures: string[] = [];
  for (const source of sources) {
    try {
      return await stageFrom(source, stage, reference, options);
    } catch (error) {
      if (stage.signal.aborted || !isMinirtError(error)) throw error;
      if (!source.isMirror) throw failures.length === 0 ? error : withMirrors(error, failures);
      failures.push(`mirror ${source.domain}/${source.path}: ${error.message}`);
    }
  }
  throw new MinirtError('internal', 'pull image: nowhere to ask');
}

function withMirrors(error: MinirtError, failures: readonly string[]): MinirtError {
  const { code, message, hint, details } = error;
  return new MinirtError(code, `${message} (${failures.join('; ')})`, {
    cause: error,
    details,
    ...(hint === undefined ? {} : { hint }),
  });
}

/** Credentials are tried one after the other, as the kubelet does; without any, the registry is asked as nobody. */
async function stageFrom(
  { domain, path, insecure }: RegistrySource,
  stage: PullStage,
  reference: Reference,
  options: PullOptions,
): Promise<StagedImage> {
  const known = [...(options.credentials ?? []), ...(await readAuthFiles(options.env ?? process.env, domain))];
  const candidates: (Credentials | undefined)[] = [...credentialsFor(known, { domain, path })];
  if (candidates.length === 0) candidates.push(undefined);
  await using transport = openTransport(insecure ? { ...options, tlsVerify: false } : options);
  for (const [at, credentials] of candidates.entries()) {
    try {
      const repository = await Repository.open({ transport, domain, path, credentials }, stage.signal);
      return await new Pull(stage, repository, options).image(reference);
    } catch (error) {
      if (!isMinirtError(error, 'registry.refused') || at === candidates.length - 1) throw error;
    }
  }
  throw new MinirtError('internal', 'pull image: nobody to ask as');
}

class Pull {
  readonly #stage: PullStage;
  readonly #repository: Repository;
  readonly #options: PullOptions;

  constructor(stage: PullStage, repository: Repository, options: PullOptions) {
    this.#stage = stage;
    this.#repository = repository;
    this.#options = options;
  }

  async image(reference: Reference): Promise<StagedImage> {
    const { signal } = this.#stage;
    const { digest: wanted, tag = 'latest' } = reference;
    const { bytes, mediaType, digest: said } = await this.#repository.manifest(wanted ?? tag, signal);
    const top = descriptorOf(bytes, mediaType);
    for (const digest of [wanted, said]) {
      if (digest?.startsWith('sha256:') === true && digest !== top.digest)
        throw mismatch('manifest', digest, top.digest);
    }
    // A digest says what it is; a tag beside it would only be a claim.
    const name = formatReference(wanted === undefined ? reference : { ...reference, tag: undefined });
    return { ...(await this.#document(top, bytes, 0)), names: [name] };
  }

  /** What was asked for is what it is called by: an index stays one, unless another platform's image was chosen from it. */
  async #document(descriptor: Descriptor, bytes: Buffer, depth: number): Promise<StagedImage> {
    const document = parseDocument(bytes, descriptor.mediaType || undefined);
    await this.#keep(descriptor, bytes);
    if (document.kind === 'manifest') return this.#manifest(descriptor, document.manifest);
    if (depth === DEEPEST_INDEX) throw new MinirtError('image.invalid', `pull image: indexes ${DEEPEST_INDEX} deep`);
    const { platform } = this.#options;
    const chosen = choosePlatform(document.manifests, platform);
    const { bytes: inner } = await this.#repository.manifest(chosen.digest, this.#stage.signal);
    verify('manifest', chosen, inner);
    const image = await this.#document(chosen, inner, depth + 1);
    return platform === undefined ? { ...image, descriptor } : image;
  }

  async #manifest(descriptor: Descriptor, manifest: StagedImage['manifest']): Promise<StagedImage> {
    const config = parseConfig(await this.#small(manifest.config));
    checkConfig(config, manifest);
    const missing = new Map<string, Descriptor>();
    for (const layer of manifest.layers) {
      const isHere = this.#stage.staging.has(layer.digest) || (await this.#stage.staging.borrow(layer.digest));
      if (!isHere) missing.set(layer.digest, layer);
    }
    await this.#layers([...missing.values()]);
    this.#options.onProgress?.({ kind: 'unpack' });
    return { descriptor, manifest, config, names: [] };
  }

  /** Some at once; the first that fails ends the others. */
  async #layers(layers: readonly Descriptor[]): Promise<void> {
    const { staging } = this.#stage;
    const { onProgress } = this.#options;
    onProgress?.({ kind: 'layers', layers: layers.map(({ digest, size }) => ({ digest, size })) });
    const stop = new AbortController();
    const signal = AbortSignal.any([this.#stage.signal, stop.signal]);
    setMaxListeners(0, signal);
    const left = [...layers];
    const fetch = async (): Promise<void> => {
      for (let layer = left.shift(); layer !== undefined; layer = left.shift()) {
        const { digest } = layer;
        const counted = counting(this.#repository.blob(layer, signal), (count) =>
          onProgress?.({ kind: 'bytes', digest, count }),
        );
        await staging.copy(Readable.from(counted, { objectMode: false }), layer, signal);
      }
    };
    const workers = Array.from({ length: AT_ONCE }, () =>
      fetch().catch((error: unknown) => {
        stop.abort(error);
        throw error;
      }),
    );
    const outcomes = await Promise.allSettled(workers);
    if (this.#stage.signal.aborted || outcomes.some(({ status }) => status === 'rejected')) throw signal.reason;
  }

  async #small(descriptor: Descriptor): Promise<Buffer> {
    if (descriptor.size > LARGEST_JSON)
      throw new MinirtError('image.invalid', `pull image: config: over ${LARGEST_JSON} bytes`);
    const { staging } = this.#stage;
    if (staging.has(descriptor.digest) || (await staging.borrow(descriptor.digest))) {
      const known = await readDocument(staging.blob(descriptor.digest), 'config');
      verify('config', descriptor, known);
      return known;
    }
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of this.#repository.blob(descriptor, this.#stage.signal)) {
      size += chunk.length;
      if (size > descriptor.size) throw mismatch('config', descriptor.digest, `longer than ${descriptor.size} bytes`);
      chunks.push(chunk);
    }
    const bytes = Buffer.concat(chunks);
    verify('config', descriptor, bytes);
    await this.#keep(descriptor, bytes);
    return bytes;
  }

  async #keep({ digest }: Descriptor, bytes: Buffer): Promise<void> {
    const { staging } = this.#stage;
    if (staging.has(digest)) return;
    const path = staging.name('f');
    await writeFile(path, bytes, { flag: 'wx', mode: 0o600 });
    staging.adopt(digest, path);
  }
}

async function* counting(bytes: AsyncIterable<Buffer>, count: (bytes: number) => void): AsyncGenerator<Buffer> {
  for await (const chunk of bytes) {
    count(chunk.length);
    yield chunk;
  }
}

function descriptorOf(bytes: Buffer, mediaType: string | undefined): Descriptor {
  return {
    mediaType: mediaType ?? '',
    digest: digestOf(bytes),
    size: bytes.length,
    annotations: {},
    platform: undefined,
  };
}

function verify(what: string, { digest, size }: Descriptor, bytes: Buffer): void {
  const found = digestOf(bytes);
  if (bytes.length !== size || found !== digest) throw mismatch(what, digest, `${found}, ${bytes.length} bytes`);
}

function mismatch(what: string, wanted: string, found: string): MinirtError {
  return new MinirtError('image.digest-mismatch', `verify ${what}: ${wanted}: the content is ${found}`);
}
