import { randomBytes } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { link, mkdir, open, readdir, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { isErrno } from '../base/errors.ts';
import { FileLock } from '../helper/flock.ts';
import { removeTree } from '../helper/fsops.ts';
import { type Tally, tallying, verified } from './digest.ts';
import { type Descriptor } from './manifest.ts';
import { dropDrafts } from './index-file.ts';
import { type StorePaths, blobPath } from './store-paths.ts';
import { withLock } from '../helper/flock.ts';

const LOCK = '.lock';

/**
 * A folder of unfinished things that goes away with its owner: at the latest, the next owner of one removes it.
 */
export class Staging implements AsyncDisposable {
  readonly dir: string;
  readonly #paths: StorePaths;
  readonly #lock: FileLock;
  readonly #blobs = new Map<string, string>();
  #count = 0;

  private constructor(paths: StorePaths, dir: string, lock: FileLock) {
    this.#paths = paths;
    this.dir = dir;
    this.#lock = lock;
  }

  static async open(paths: StorePaths, signal: AbortSignal): Promise<Staging> {
    // Under the index lock nobody can be between making the lock file and locking it.
    return withLock(paths.indexLock, signal, async () => {
      await sweep(paths, signal);
      await dropDrafts(paths);
      const dir = join(paths.ingest, randomBytes(6).toString('hex'));
      const lock = await FileLock.tryAcquire(dir + LOCK);
      if (lock === undefined) throw new Error(`lock ${dir}: somebody else has it`);
      await mkdir(dir, { mode: 0o700 });
      return new Staging(paths, dir, lock);
    });
  }

  /** A new name in the folder. */
  name(kind: string): string {
    this.#count += 1;
    return join(this.dir, `${kind}${this.#count}`);
  }

  /** Writes a stream to a new file. */
  async write(bytes: Readable, signal: AbortSignal): Promise<Tally & { readonly path: string }> {
    const path = this.name('f');
    const tally: Tally = { digest: '', size: 0 };
    await pipeline(bytes, tallying(tally), createWriteStream(path, { flags: 'wx', mode: 0o600 }), { signal });
    return { path, ...tally };
  }

  /** Copies a blob here, verified. */
  async copy(bytes: Readable, descriptor: Descriptor, signal: AbortSignal): Promise<void> {
    const path = this.name('f');
    const expected = { what: 'blob', digest: descriptor.digest, size: descriptor.size };
    await pipeline(verified(bytes, expected), createWriteStream(path, { flags: 'wx', mode: 0o600 }), { signal });
    this.#blobs.set(descriptor.digest, path);
  }

  /** A verified file in this folder is the blob with this digest. */
  adopt(digest: string, path: string): void {
    this.#blobs.set(digest, path);
  }

  /**
   * Takes a blob from the store, where another process may remove it meanwhile: from here on it has a second name here.
   * @returns whether it was there
   */
  async borrow(digest: string): Promise<boolean> {
    const path = this.name('b');
    try {
      await link(blobPath(this.#paths, digest), path);
    } catch (error) {
      if (isErrno(error, 'ENOENT')) return false;
      throw error;
    }
    this.#blobs.set(digest, path);
    return true;
  }

  /** Where the bytes of a blob are before the commit: here, else in the store. */
  blob(digest: string): string {
    return this.#blobs.get(digest) ?? blobPath(this.#paths, digest);
  }

  has(digest: string): boolean {
    return this.#blobs.has(digest);
  }

  /** Moves the blobs into the store. */
  async commitBlobs(): Promise<void> {
    for (const [digest, path] of this.#blobs) {
      const file = await open(path, 'r');
      try {
        await file.sync();
      } finally {
        await file.close();
      }
      await rename(path, blobPath(this.#paths, digest));
    }
    this.#blobs.clear();
  }

  /** Removes what is here, at once. */
  async clear(): Promise<void> {
    for (const name of await readdir(this.dir)) await removeTree(join(this.dir, name), new AbortController().signal);
    this.#blobs.clear();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await removeTree(this.dir, new AbortController().signal);
    await rm(this.dir + LOCK, { force: true });
    await this.#lock.release();
  }
}

/** Removes what owners left that were killed. */
async function sweep(paths: StorePaths, signal: AbortSignal): Promise<void> {
  for (const name of await readdir(paths.ingest)) {
    if (!name.endsWith(LOCK)) continue;
    const path = join(paths.ingest, name);
    const lock = await FileLock.tryAcquire(path);
    if (lock === undefined) continue;
    await removeTree(path.slice(0, -LOCK.length), signal);
    await rm(path, { force: true });
    await lock.release();
  }
}
