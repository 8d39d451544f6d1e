import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { MinirtError, isErrno, messageOf } from '../base/errors.ts';
import { abortReason } from '../base/clock.ts';
import type { Io } from './io.ts';
import { usage } from './verb.ts';

/** Kubernetes refuses larger objects long before (etcd: 1.5 MiB). */
const LARGEST_BYTES = 4 * 1024 * 1024;
const FETCH_MS = 30_000;

export interface ManifestText {
  /** For messages: the file's name, the URL, or `-`. */
  readonly name: string;
  readonly text: string;
}

/** Reads a manifest from a file, an http(s) URL or, for `-`, from stdin; of a folder all that are in it. */
export async function readManifests(io: Io, source: string): Promise<readonly ManifestText[]> {
  if (source === '-') return [{ name: '-', text: await readStdin(io) }];
  if (/^https?:\/\//i.test(source)) return [{ name: source, text: await fetchText(source, io.signal) }];
  const names = await filesIn(source);
  if (names === undefined) return [{ name: source, text: await readText(source) }];
  if (names.length === 0) {
    throw usage(`read manifest: ${source}: recognized file extensions are [.json .yaml .yml]`);
  }
  const paths = names.map((name) => join(source, name));
  return Promise.all(paths.map(async (name) => ({ name, text: await readText(name) })));
}

/** The manifests in a folder, by name; undefined when it is none. */
async function filesIn(path: string): Promise<readonly string[] | undefined> {
  try {
    const names = await readdir(path);
    return names.filter((name) => /\.(json|ya?ml)$/.test(name)).toSorted();
  } catch (error) {
    if (isErrno(error, 'ENOTDIR') || isErrno(error, 'ENOENT')) return undefined;
    throw usage(`read manifest: ${path}: ${messageOf(error)}`);
  }
}

async function readText(path: string): Promise<string> {
  try {
    const bytes = await readFile(path);
    if (bytes.length > LARGEST_BYTES) throw tooLarge(path);
    return bytes.toString('utf8');
  } catch (error) {
    if (isErrno(error, 'ENOENT')) throw usage(`read manifest: the path "${path}" does not exist`);
    if (isErrno(error, 'EISDIR')) throw usage(`read manifest: ${path}: is a folder`, 'name a file');
    if (isErrno(error, 'EACCES')) throw usage(`read manifest: ${path}: permission denied`);
    throw error;
  }
}

async function readStdin({ stdin, signal }: Io): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  const stop = (): void => {
    stdin.destroy(abortReason(signal));
  };
  signal.addEventListener('abort', stop, { once: true });
  try {
    for await (const chunk of stdin) {
      const bytes = Buffer.from(chunk as Buffer);
      size += bytes.length;
      if (size > LARGEST_BYTES) throw tooLarge('-');
      chunks.push(bytes);
    }
  } finally {
    signal.removeEventListener('abort', stop);
  }
  return Buffer.concat(chunks).toString('utf8');
}

async function fetchText(url: string, signal: AbortSignal): Promise<string> {
  const { Agent, interceptors, request } = await import('undici');
  const agent = new Agent();
  const dispatcher = agent.compose(interceptors.redirect({ maxRedirections: 5 }));
  const limit = AbortSignal.timeout(FETCH_MS);
  const follow = (): void => {
    void agent.destroy(abortReason(signal));
  };
  signal.addEventListener('abort', follow, { once: true });
  try {
    const { statusCode, body } = await request(url, { dispatcher, signal: limit });
    if (statusCode !== 200) throw new MinirtError('io', `fetch manifest: ${url}: the server answered ${statusCode}`);
    const chunks: Buffer[] = [];
    let size = 0;
    for await (const chunk of body) {
      const bytes = Buffer.from(chunk as Buffer);
      size += bytes.length;
      if (size > LARGEST_BYTES) throw tooLarge(url);
      chunks.push(bytes);
    }
    return Buffer.concat(chunks).toString('utf8');
  } catch (error) {
    if (error instanceof MinirtError) throw error;
    if (signal.aborted) throw abortReason(signal);
    const why = limit.aborted ? `no answer within ${FETCH_MS / 1000} s` : messageOf(error);
    throw new MinirtError('io', `fetch manifest: ${url}: ${why}`, {
      cause: error,
      hint: 'a file or `-` (stdin) works too',
    });
  } finally {
    signal.removeEventListener('abort', follow);
    await agent.destroy();
  }
}

function tooLarge(name: string): MinirtError {
  return usage(`read manifest: ${name}: larger than ${LARGEST_BYTES / 1024 / 1024} MiB`);
}
