import { MinirtError, isMinirtError } from '../../base/errors.ts';
import type { ContainerCgroup } from '../../container/cgroup.ts';
import { type MonitorClient, connectMonitor, readRecords } from '../../helper/monitor.ts';
import type { MonitorRecord } from '../../helper/record.ts';
import type { ContainerPaths } from '../../state/paths.ts';
import type { EngineView } from '../engine.ts';
import type { Exit } from '../lifecycle.ts';
import { signalName } from '../signals.ts';

/** The process behind one container instance, as the owner follows it. */
export interface Live {
  readonly id: string;
  readonly client: MonitorClient | undefined;
  /** Resolves once the exit has been told to the engine. */
  readonly gone: Promise<void>;
}

export interface LiveOptions {
  readonly engine: EngineView;
  readonly name: string;
  readonly id: string;
  readonly paths: ContainerPaths;
  readonly cgroup: ContainerCgroup;
  /** Records up to this moment (CLOCK_MONOTONIC, ns) are in the journal already. */
  readonly notedUntil: bigint;
  /** The termination message, read after the exit. */
  readonly lastWords: () => Promise<string | undefined>;
  /** Frees what the instance held on the host. */
  readonly release: () => Promise<void>;
}

/** Follows a connected monitor: its records become events and journal entries, its end is never missed. */
export function follow(client: MonitorClient, options: LiveOptions): Live {
  const gone = followToEnd(client, options);
  gone.catch(() => undefined);
  return { id: options.id, client, gone };
}

/** Takes up an instance that an earlier owner left: its monitor if it lives, else what it wrote down. */
export async function adopt(options: LiveOptions, signal: AbortSignal): Promise<Live> {
  const { engine, id, paths } = options;
  try {
    const identity = { socket: paths.socket, pod: engine.record.uid, container: id };
    return follow(await connectMonitor(identity, signal), options);
  } catch (error) {
    if (!isMinirtError(error)) throw error;
    const seen = await noteAll(options, await readRecords(paths.record));
    return { id, client: undefined, gone: tellExit(options, seen) };
  }
}

async function followToEnd(client: MonitorClient, options: LiveOptions): Promise<void> {
  const end: { record: MonitorRecord | undefined } = { record: undefined };
  client.watch((record) => {
    noteRecord(options, record);
    if (record.event === 'exited' || record.event === 'failed') end.record = record;
  });
  await client.closed;
  // The stream may have been cut between the record and its telling: the file is the truth.
  if (end.record === undefined) end.record = lastWord(await readRecords(options.paths.record));
  await tellExit(options, end.record);
}

async function noteAll(options: LiveOptions, records: readonly MonitorRecord[]): Promise<MonitorRecord | undefined> {
  for (const record of records) noteRecord(options, record);
  return lastWord(records);
}

function lastWord(records: readonly MonitorRecord[]): MonitorRecord | undefined {
  return records.find((record) => record.event === 'exited' || record.event === 'failed');
}

function noteRecord({ engine, name, notedUntil }: LiveOptions, record: MonitorRecord): void {
  if (record.event !== 'signal' || record.t <= notedUntil) return;
  const signal = signalName(record.signal);
  engine.note({ kind: 'signal', container: name, signal, why: record.why, at: record.t.toString() });
}

async function tellExit(options: LiveOptions, record: MonitorRecord | undefined): Promise<void> {
  const { engine, name, id, cgroup } = options;
  await cgroup.kill();
  if (record?.event === 'failed') {
    await options.release();
    const wall = new Date(record.wall).toISOString();
    engine.emit({ kind: 'container', name, event: { kind: 'startFailed', id, message: startError(record), wall } });
    return;
  }
  const exit = await exitOf(options, record);
  await options.release();
  const code = exit.kind === 'exited' ? exit.code : exit.kind === 'signaled' ? 128 + exit.signal : 137;
  engine.note({
    kind: 'exit',
    container: name,
    restartCount: engine.record.containers.find((one) => one.name === name)?.restartCount ?? 0,
    exitCode: code,
    ...(exit.kind === 'signaled' ? { signal: signalName(exit.signal) } : {}),
    at: exit.mono.toString(),
  });
  engine.emit({ kind: 'container', name, event: { kind: 'exited', id, exit } });
}

async function exitOf(options: LiveOptions, record: MonitorRecord | undefined): Promise<Exit> {
  if (record?.event !== 'exited') {
    const why = 'the process that watched the container died, so its exit was not seen';
    return { kind: 'lost', why, wall: new Date().toISOString(), mono: process.hrtime.bigint(), message: undefined };
  }
  const facts = { wall: new Date(record.wall).toISOString(), mono: record.t, message: await options.lastWords() };
  return 'code' in record
    ? { kind: 'exited', code: record.code, ...facts }
    : { kind: 'signaled', signal: record.signal, ...facts };
}

/** The runtime's text of a failed start; from `exec:` on it reads as on a real node. */
export function startError(failure: { readonly errno: number; readonly what: string; readonly stage: string }): string {
  const prefix = 'failed to start container process';
  if (failure.stage !== 'exec') return `${prefix}: ${failure.stage}: ${failure.what}`;
  const path = failure.what.replace(/^exec:? /, '');
  if (!path.includes('/')) return `${prefix}: exec: "${path}": executable file not found in $PATH`;
  if (failure.errno === ENOENT) return `${prefix}: exec: "${path}": stat ${path}: no such file or directory`;
  if (failure.errno === EACCES) return `${prefix}: exec: "${path}": permission denied`;
  return `${prefix}: exec: "${path}": errno ${failure.errno}`;
}

const ENOENT = 2;
const EACCES = 13;

/** The monitor of a live instance; an error when there is none, which the caller treats as an exit under way. */
export function clientOf(live: Live | undefined): MonitorClient {
  if (live?.client === undefined) throw new MinirtError('helper.failed', 'reach container: its monitor is gone');
  return live.client;
}
