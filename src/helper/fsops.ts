import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { abortReason } from '../base/clock.ts';
import { MinirtError } from '../base/errors.ts';
import { helperPath } from './locate.ts';
import { helperFailed } from './process.ts';

/** Frames are gathered up to this many bytes, because one write costs as much as many entries. */
const BATCH = 256 * 1024;

/** A time as the kernel takes it. */
export interface FileTime {
  readonly seconds: bigint;
  readonly nanoseconds: number;
}

/**
 * File operations beneath one directory, carried out by the helper role `fsops` (see native/fsops.c): what Node cannot
 * do, and nothing that a hostile tree could lead outside. Words are bytes, one character each (latin1), so that a name
 * that is no UTF-8 stays what it is. The first failure ends it all; `send` and `finish` then throw.
 */
export class FsOps {
  readonly #child: ChildProcess;
  readonly #stdin: Writable;
  readonly #ended: Promise<void>;
  readonly #stop: () => void;
  #failure: unknown;
  #batch: Buffer[] = [];
  #size = 0;

  private constructor(child: ChildProcess, signal: AbortSignal) {
    const [stdin, stdout] = child.stdio as unknown as [Writable, Readable];
    this.#child = child;
    this.#stdin = stdin;
    this.#stop = () => {
      child.kill('SIGKILL');
    };
    signal.addEventListener('abort', this.#stop, { once: true });
    const said: Buffer[] = [];
    stdout.on('data', (chunk: Buffer) => said.push(chunk));
    // A helper that failed has stopped reading; why is in its answer.
    stdin.on('error', () => undefined);
    this.#ended = new Promise((resolve) => {
      const end = (failure: unknown): void => {
        signal.removeEventListener('abort', this.#stop);
        this.#failure = failure;
        resolve();
      };
      child.on('error', (cause) => {
        end(new MinirtError('helper.missing', `run helper: fsops: ${cause.message}`, { cause }));
      });
      child.on('close', (code, killer) => {
        if (signal.aborted) end(abortReason(signal));
        else
          end(code === 0 ? undefined : helperFailed('fsops', Buffer.concat(said).toString(), { code, signal: killer }));
      });
    });
  }

  /** Starts a helper on `directory`, an absolute path that is no link. */
  static open(directory: string, signal: AbortSignal): FsOps {
    if (signal.aborted) throw abortReason(signal);
    return new FsOps(spawn(helperPath(), ['fsops', directory], { stdio: ['pipe', 'pipe', 'inherit'] }), signal);
  }

  /** One operation and its words. The promise is about room in the pipe, not about the effect. */
  send(...words: readonly string[]): Promise<void> {
    const bad = words.find((word) => word.includes('\0'));
    if (bad !== undefined)
      throw new MinirtError('image.invalid', `unpack: ${JSON.stringify(bad)}: a name contains NUL`);
    const body = Buffer.from(`${words.join('\0')}\0`, 'latin1');
    const head = Buffer.alloc(4);
    head.writeUInt32LE(body.length);
    return this.#write([head, body]);
  }

  /** Bytes that follow a `file` operation. */
  content(chunk: Uint8Array): Promise<void> {
    return this.#write([Buffer.from(chunk.buffer, chunk.byteOffset, chunk.byteLength)]);
  }

  /** Completes the tree (directory times, sync) and waits until it is on disk. */
  async finish(): Promise<void> {
    await this.send('finish');
    await this.end();
  }

  /** Ends the helper after everything sent so far. */
  async end(): Promise<void> {
    await this.#flush();
    this.#stdin.end();
    await this.#ended;
    this.#throwFailure();
  }

  /** Ends the helper at once; what it made stays. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#ended;
  }

  #throwFailure(): void {
    // Always an Error: helperFailed, abortReason and MinirtError make nothing else.
    if (this.#failure !== undefined) throw this.#failure as Error;
  }

  async #write(parts: readonly Buffer[]): Promise<void> {
    for (const part of parts) {
      this.#batch.push(part);
      this.#size += part.length;
    }
    if (this.#size >= BATCH) await this.#flush();
  }

  async #flush(): Promise<void> {
    this.#throwFailure();
    if (this.#size === 0) return;
    const bytes = this.#batch.length === 1 ? this.#batch[0] : Buffer.concat(this.#batch);
    this.#batch = [];
    this.#size = 0;
    if (this.#stdin.write(bytes)) return;
    await Promise.race([new Promise((resolve) => this.#stdin.once('drain', resolve)), this.#ended]);
    this.#throwFailure();
  }
}

/**
 * Removes whatever `path` is, with all that is in it: never through a link, never into a mount. No error when there is
 * nothing. For trees that an image or a container filled; Node's own `rm` joins names, so that it may be led astray, and
 * fails where they get longer than a path may be.
 */
export async function removeTree(path: string, signal: AbortSignal): Promise<void> {
  if (!existsSync(dirname(path))) return;
  const ops = FsOps.open(dirname(path), signal);
  try {
    await ops.send('remove', Buffer.from(basename(path)).toString('latin1'));
    await ops.end();
  } catch (error) {
    await ops.kill();
    throw error;
  }
}
