import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { afterEach, beforeEach, expect } from 'vitest';
import { MinirtError } from '../../src/base/errors.ts';
import { type ImageStore, openImageStore } from '../../src/image/store.ts';

const never = new AbortController().signal;

/** An empty store next to a folder that no image may reach. */
export class BesideCanary {
  readonly dir = mkdtempSync('/tmp/mi-');
  readonly canary = join(this.dir, 'canary');
  readonly store: ImageStore = openImageStore(join(this.dir, 'root'));

  constructor() {
    mkdirSync(this.canary, { mode: 0o750 });
    writeFileSync(join(this.canary, 'file'), 'alive', { mode: 0o640 });
  }

  /** All that could be changed there. */
  facts(): unknown {
    const of = (path: string): unknown[] => {
      const { mode, ino, nlink, uid, mtimeMs } = statSync(path);
      return [mode, ino, nlink, uid, mtimeMs];
    };
    const file = join(this.canary, 'file');
    return [of(this.canary), readdirSync(this.canary), of(file), readFileSync(file, 'utf8')];
  }

  /** Why an archive was not stored; nothing of it is left then, and nothing was touched. */
  async refusal(archive: Buffer): Promise<MinirtError> {
    const before = this.facts();
    const stream = Readable.from([archive], { objectMode: false });
    const error: unknown = await this.store.load({ stream }, never).then(
      () => undefined,
      (failure: unknown) => failure,
    );
    expect(this.facts()).toEqual(before);
    expect(this.#leftovers()).toEqual([]);
    expect(await this.store.list()).toEqual([]);
    expect(error).toBeInstanceOf(MinirtError);
    return error as MinirtError;
  }

  remove(): void {
    rmSync(this.dir, { recursive: true, force: true });
  }

  /** Everything the store holds, but for the locks and folders that it always has. */
  #leftovers(): string[] {
    const own = new Set([
      '.',
      './blobs',
      './blobs/sha256',
      './ingest',
      './layers',
      './layers/chains',
      './layers/lock',
      './index.lock',
    ]);
    return execFileSync('find', ['.'], { cwd: join(this.dir, 'root'), encoding: 'utf8' })
      .split('\n')
      .filter((path) => path !== '' && !own.has(path));
  }
}

/** A new one for every test of a file. */
export function useCanary(): () => BesideCanary {
  let beside: BesideCanary | undefined;
  beforeEach(() => {
    beside = new BesideCanary();
  });
  afterEach(() => beside?.remove());
  return () => {
    if (beside === undefined) throw new Error('the canary is there only while tests run');
    return beside;
  };
}
