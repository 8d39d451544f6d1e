import { type FileHandle, open } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isErrno } from '../../base/errors.ts';
import type { PodView } from '../../pod/view.ts';
import { type Roots, containerLog } from '../../state/paths.ts';
import { Changes } from '../changes.ts';
import { type CriEntry, LineSplitter, parseCriLine } from '../../base/cri.ts';
import { runIsOver, viewOrNothing } from './instance.ts';
import { LogPrinter, Tail } from './printer.ts';

const CHUNK_BYTES = 64 * 1024;

export interface ReadOptions {
  readonly timestamps: boolean;
  /** Unix time in ms. */
  readonly since: number | undefined;
  /** Lines; undefined: all. */
  readonly tail: number | undefined;
  readonly prefix: string;
}

/** Where the bytes of a log go. */
export type Sink = (bytes: Buffer) => Promise<void> | void;

export interface Source {
  readonly roots: Roots;
  readonly view: PodView;
  readonly container: string;
}

/** Prints what a run of a container has logged so far. A missing file is an empty log. */
export async function printLog(source: Source, restart: number, options: ReadOptions, sink: Sink): Promise<void> {
  await using log = await openLog(source, restart);
  if (log === undefined) return;
  const printer = new LogPrinter(options);
  await printSoFar(log, printer, options.tail, sink);
  await put(sink, printer.end());
}

/** Prints a log and goes on until that run of the container is over. */
export async function followLog(
  source: Source,
  restart: number,
  options: ReadOptions & { readonly signal: AbortSignal },
  sink: Sink,
): Promise<void> {
  using changes = new Changes();
  changes.add(source.view.paths.dir);
  const run = { name: source.container, restart };
  let log: OpenLog | undefined;
  try {
    const printer = new LogPrinter(options);
    for (let first = true; ;) {
      // Asked before reading: what is read afterwards is then all there is.
      const over = await runIsOver(source.roots, source.view.uid, run);
      log ??= await openLog(source, restart);
      if (log !== undefined) {
        changes.add(dirname(log.path));
        await printSoFar(log, printer, first ? options.tail : undefined, sink);
        first = false;
      }
      if (over) return await put(sink, printer.end());
      await changes.next(options.signal);
    }
  } finally {
    await log?.file.close();
  }
}

/** Prints every run of a container from `restart` on, until the pod has ended. */
export async function followRestarts(
  source: Source,
  restart: number,
  options: ReadOptions & { readonly signal: AbortSignal },
  sink: Sink,
): Promise<void> {
  using changes = new Changes();
  changes.add(source.view.paths.dir);
  for (let next = restart; ;) {
    const view = await viewOrNothing(source.roots, source.view.uid);
    const count = view?.record.containers.find((one) => one.name === source.container)?.restartCount;
    if (count !== undefined && count >= next) {
      const tail = next === restart ? options.tail : undefined;
      await followLog(source, next, { ...options, tail }, sink);
      next++;
    } else {
      if (view === undefined || view.record.ended !== undefined) return;
      await changes.next(options.signal);
    }
  }
}

interface OpenLog extends AsyncDisposable {
  readonly path: string;
  readonly file: FileHandle;
  readonly lines: LineSplitter;
}

async function openLog({ roots, view, container }: Source, restart: number): Promise<OpenLog | undefined> {
  const path = containerLog(roots, view, { name: container, restart });
  try {
    const file = await open(path, 'r');
    return { path, file, lines: new LineSplitter(), [Symbol.asyncDispose]: () => file.close() };
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}

async function printSoFar(log: OpenLog, printer: LogPrinter, count: number | undefined, sink: Sink): Promise<void> {
  const tail = count === undefined ? undefined : new Tail(count);
  for await (const entries of entriesSoFar(log)) {
    if (tail === undefined) await put(sink, Buffer.concat(entries.map((entry) => printer.print(entry))));
    else for (const entry of entries) tail.push(entry);
  }
  if (tail !== undefined) await put(sink, Buffer.concat(tail.entries().map((entry) => printer.print(entry))));
}

async function* entriesSoFar({ file, lines }: OpenLog): AsyncGenerator<readonly CriEntry[]> {
  for (;;) {
    const { bytesRead, buffer } = await file.read(Buffer.alloc(CHUNK_BYTES), 0, CHUNK_BYTES, null);
    if (bytesRead === 0) return;
    yield lines
      .push(buffer.subarray(0, bytesRead))
      .map(parseCriLine)
      .filter((entry) => entry !== undefined);
  }
}

async function put(sink: Sink, bytes: Buffer): Promise<void> {
  if (bytes.length > 0) await sink(bytes);
}
