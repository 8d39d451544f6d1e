import { MinirtError, isErrno, isMinirtError, messageOf } from '../../base/errors.ts';
import type { Logger } from '../../base/log.ts';
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
  /** Resolves once the exit has been told to the engine. Never rejects. */
  readonly gone: Promise<void>;
  /** Resolves when nothing more is done about it: what it held on the host is free, or somebody else's to free. */
  readonly released: Promise<void>;
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
  readonly lastWords: (exitCode: number) => Promise<string | undefined>;
  /** Frees what the instance held on the host. */
  readonly release: () => Promise<void>;
  /** Aborted when the owner lets go: what happens from then on is the next one's to see. */
  readonly letGo: AbortSignal;
  readonly log: Logger;
}

/** Follows a connected monitor: its records become events and journal entries, its end is never missed. */
export function follow(client: MonitorClient, options: LiveOptions): Live {
  options.letGo.addEventListener(
    'abort',
    () => {
      client.close();
    },
    { once: true },
  );
  return ending(client, options, followToEnd(client, options));
}

/** Takes up an instance that an earlier owner left: its monitor if it lives, else what it wrote down. */
export async function adopt(options: LiveOptions): Promise<() => Live> {
  const client = await reach(options);
  if (client !== undefined) return () => follow(client, options);
  const records = await readRecords(options.paths.record);
  return () => {
    for (const record of records) noteRecord(options, record);
    return ending(undefined, options, tellExit(options, lastWord(records)));
  };
}

/** Whether an instance that nobody was told of began to run; undefined: it did not. */
export async function startOf({ paths }: LiveOptions): Promise<MonitorRecord | undefined> {
  return (await readRecords(paths.record)).find((record) => record.event === 'started');
}

/** Removes an instance that never ran: its end is nobody's business. */
export async function discard(options: LiveOptions): Promise<void> {
  const client = await reach(options);
  if (client !== undefined) {
    await client.kill().catch(() => undefined);
    await client.closed;
  }
  await options.cgroup.kill();
  await options.release();
}

/** The instance's monitor; undefined when there is none any more. That it cannot be reached does not mean that. */
async function reach({ engine, id, paths, letGo }: LiveOptions): Promise<MonitorClient | undefined> {
  try {
    return await connectMonitor({ socket: paths.socket, pod: engine.record.uid, container: id }, letGo);
  } catch (error) {
    if (isMinirtError(error, 'state.corrupt')) return undefined;
    if (!isMinirtError(error, 'container.not-found')) throw error;
    const { cause } = error;
    const nobody = ['ENOENT', 'ECONNREFUSED', 'ECONNRESET', 'EPIPE'].some((code) => isErrno(cause, code));
    if (cause === undefined || nobody) return undefined;
    throw error;
  }
}

/** What is done about an end that is being told; whatever goes wrong then, the end itself has been told. */
function ending(client: MonitorClient | undefined, options: LiveOptions, told: Promise<void>): Live {
  const { id, log, letGo } = options;
  const gone = told.catch((error: unknown) => {
    log.error({ container: id, error: messageOf(error) }, 'could not tell the end of a container');
  });
  const released = gone
    .then(() => (letGo.aborted ? undefined : options.release()))
    .catch((error: unknown) => {
      log.warn({ container: id, error: messageOf(error) }, 'could not release a container: left to the end of its pod');
    });
  return { id, client, gone, released };
}

async function followToEnd(client: MonitorClient, options: LiveOptions): Promise<void> {
  const end: { record: MonitorRecord | undefined } = { record: undefined };
  client.watch((record) => {
    noteRecord(options, record);
    if (record.event === 'exited' || record.event === 'failed') end.record = record;
  });
  await client.closed;
  if (options.letGo.aborted) return;
  // The stream may have been cut between the record and its telling: the file is the truth.
  if (end.record === undefined) end.record = lastWord(await readRecords(options.paths.record));
  await tellExit(options, end.record);
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
  const { engine, name, id, cgroup, log } = options;
  await cgroup.kill().catch((error: unknown) => {
    log.warn({ container: id, error: messageOf(error) }, 'could not kill what a container left');
  });
  if (record?.event === 'failed') {
    const wall = new Date(record.wall).toISOString();
    engine.emit({ kind: 'container', name, event: { kind: 'startFailed', id, message: startError(record), wall } });
    return;
  }
  const exit = await exitOf(options, record);
  const code = exit.kind === 'exited' ? exit.code : exit.kind === 'signaled' ? 128 + exit.signal : 137;
  engine.note({
    kind: 'exit',
    container: name,
    restartCount: engine.record.containers.find((one) => one.name === name)?.restartCount ?? 0,
    exitCode: code,
    ...(exit.kind === 'signaled' ? { signal: signalName(exit.signal) } : {}),
    ...(exit.oomKilled === true ? { oomKilled: true } : {}),
    at: exit.mono.toString(),
  });
  engine.emit({ kind: 'container', name, event: { kind: 'exited', id, exit } });
}

async function exitOf(options: LiveOptions, record: MonitorRecord | undefined): Promise<Exit> {
  if (record?.event !== 'exited') {
    const why = 'the process that watched the container died, so its exit was not seen';
    return { kind: 'lost', why, wall: new Date().toISOString(), mono: process.hrtime.bigint(), message: undefined };
  }
  const exitCode = 'code' in record ? record.code : 128 + record.signal;
  const message = await lastWords(options, exitCode);
  const oomKilled = options.cgroup.oomKills() > 0;
  const facts = { wall: new Date(record.wall).toISOString(), mono: record.t, message, oomKilled };
  return 'code' in record
    ? { kind: 'exited', code: record.code, ...facts }
    : { kind: 'signaled', signal: record.signal, ...facts };
}

async function lastWords({ lastWords: read, id, log }: LiveOptions, exitCode: number): Promise<string | undefined> {
  return read(exitCode).catch((error: unknown) => {
    log.warn({ container: id, error: messageOf(error) }, 'could not read a termination message');
    return undefined;
  });
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
