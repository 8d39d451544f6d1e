import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { connect, type Socket } from 'node:net';
import { abortReason, type MonoNs } from '../base/clock.ts';
import { isErrno, MinirtError } from '../base/errors.ts';
import { helperPath } from './locate.ts';
import { encodeFrame } from './plan.ts';
import { errnoName, helperFailed } from './process.ts';
import type { MonitorRecord } from './record.ts';

/** The last moment that the monitor's clock can tell. */
const NEVER: MonoNs = 2n ** 63n - 1n;

/** sockaddr_un without its NUL; Node cuts a longer path silently. */
export const LONGEST_SOCKET_PATH = 107;

/** @throws MinirtError state.path-too-long */
export function checkSocketPath(path: string): void {
  const size = Buffer.byteLength(path);
  if (size <= LONGEST_SOCKET_PATH) return;
  throw new MinirtError('state.path-too-long', `use socket: ${path}: ${size} bytes, ${LONGEST_SOCKET_PATH} at most`, {
    hint: 'Choose a shorter --state folder.',
  });
}

/**
 * Starts a monitor that outlives this process. Resolves once the container is created, that is: set up, and blocked
 * before execve.
 * @throws MinirtError helper.failed with details {stage, errno, what}; nothing of the container is left then
 */
export function spawnMonitor(plan: Buffer, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(abortReason(signal));
    const child = spawn(helperPath(), ['monitor'], { stdio: ['pipe', 'pipe', 'ignore'], detached: true });
    let said = '';
    let settled = false;
    const settle = (finish: () => void): void => {
      if (settled) return;
      settled = true;
      signal.removeEventListener('abort', follow);
      child.stdout.destroy();
      child.unref();
      finish();
    };
    // Init dies with its monitor.
    const follow = (): void => {
      child.kill('SIGKILL');
    };
    signal.addEventListener('abort', follow, { once: true });
    child.stdout.setEncoding('utf8');
    child.stdout.on('data', (text: string) => {
      said += text;
      if (/^\{"event":"created".*\n/m.test(said)) settle(resolve);
    });
    child.stdin.on('error', () => {});
    child.stdin.end(plan);
    child.on('error', (cause) => {
      settle(() => {
        reject(new MinirtError('helper.missing', `run helper: monitor: ${cause.message}`, { cause }));
      });
    });
    child.on('close', (code, killer) => {
      settle(() => {
        reject(signal.aborted ? abortReason(signal) : helperFailed('monitor', said, { code, signal: killer }));
      });
    });
  });
}

export interface MonitorAddress {
  readonly socket: string;
  /** Uid of the pod and id of the container: what the monitor must say that it is. */
  readonly pod: string;
  readonly container: string;
}

/**
 * Connects to a running monitor and checks that it is the right one.
 * @throws MinirtError state.path-too-long; container.not-found (nobody listens); state.corrupt (somebody else does)
 */
export function connectMonitor(address: MonitorAddress, signal: AbortSignal): Promise<MonitorClient> {
  checkSocketPath(address.socket);
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(abortReason(signal));
    const socket = connect(address.socket);
    const client = new MonitorClient(socket);
    const stop = (error: Error): void => {
      signal.removeEventListener('abort', follow);
      socket.destroy();
      reject(error);
    };
    const follow = (): void => {
      stop(abortReason(signal));
    };
    signal.addEventListener('abort', follow, { once: true });
    client.hello.then((hello) => {
      const right = hello.version === 1 && hello.pod === address.pod && hello.container === address.container;
      if (!right) {
        return stop(new MinirtError('state.corrupt', `connect monitor: ${address.socket}: it is another container's`));
      }
      signal.removeEventListener('abort', follow);
      resolve(client);
    }, stop);
  });
}

interface Hello {
  readonly hello: string;
  readonly version: number;
  readonly pod: string;
  readonly container: string;
}

interface Reply {
  readonly reply: string;
  readonly ok: boolean;
  readonly errno?: number;
}

interface Waiter {
  resolve(): void;
  reject(error: Error): void;
}

/** One connection to the monitor of one container. Its end means that the monitor is gone, or `close` was called. */
export class MonitorClient {
  /** Resolves when the connection has ended, whoever ended it. */
  readonly closed: Promise<void>;
  /** What the monitor said first; rejects when it did not. */
  readonly hello: Promise<Hello>;
  readonly #socket: Socket;
  readonly #waiting = new Map<string, Waiter[]>();
  #rest = '';
  #onRecord: ((record: MonitorRecord) => void) | undefined;
  #greeted: ((hello: Hello) => void) | undefined;
  #ended: Error | undefined;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.setEncoding('utf8');
    socket.on('data', (text: string) => {
      this.#read(text);
    });
    socket.on('error', (error) => {
      this.#ended = gone(error);
    });
    this.closed = new Promise((resolve) => {
      socket.on('close', () => {
        this.#end();
        resolve();
      });
    });
    this.hello = new Promise((resolve, reject) => {
      this.#greeted = resolve;
      void this.closed.then(() => {
        reject(this.#ended ?? gone(undefined));
      });
    });
    // Whoever connects looks at it; a client that nobody looks at may fail in peace.
    this.hello.catch(() => {});
  }

  /** Calls `onRecord` for every record so far, then for every new one. May be called once. */
  watch(onRecord: (record: MonitorRecord) => void): void {
    if (this.#onRecord !== undefined) throw new MinirtError('internal', 'watch monitor: watched already');
    this.#onRecord = onRecord;
    this.#socket.write(encodeFrame(['watch']));
  }

  /**
   * Lets the container's command run. Rejects when it could not be executed: the monitor then ends.
   * @throws MinirtError helper.failed with details {stage: 'exec', errno}
   */
  start(): Promise<void> {
    return this.#ask(['start']);
  }

  /**
   * Sends the signal, once in a container's life, and has everything killed `grace` ns after it, at `killBy` at the
   * latest; a later call only moves that earlier.
   */
  stop(signal: number, grace: MonoNs, killBy: MonoNs = NEVER): Promise<void> {
    return this.#ask(['stop', String(signal), String(grace), String(killBy)]);
  }

  /** Sends a signal to the container's first process. */
  signal(n: number): Promise<void> {
    return this.#ask(['signal', String(n)]);
  }

  /** SIGKILL to everything in the container. */
  kill(): Promise<void> {
    return this.#ask(['kill']);
  }

  /** Kills one executed command with all its descendants. */
  execKill(id: string): Promise<void> {
    return this.#ask(['exec-kill', id]);
  }

  resize(rows: number, columns: number): Promise<void> {
    return this.#ask(['resize', String(rows), String(columns)]);
  }

  /** Reopens the log file, which was renamed. */
  rotate(): Promise<void> {
    return this.#ask(['rotate']);
  }

  /** Ends the connection; the container goes on. */
  close(): void {
    this.#socket.destroy();
  }

  #ask(words: readonly [string, ...string[]]): Promise<void> {
    return new Promise((resolve, reject) => {
      if (this.#socket.destroyed) return reject(this.#ended ?? gone(undefined));
      const waiters = this.#waiting.get(words[0]) ?? [];
      waiters.push({ resolve, reject });
      this.#waiting.set(words[0], waiters);
      this.#socket.write(encodeFrame(words));
    });
  }

  #read(text: string): void {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) this.#take(line);
  }

  #take(line: string): void {
    const message = JSON.parse(line) as { hello?: string; reply?: string; event?: string };
    if (message.event !== undefined) this.#onRecord?.(parseRecord(line));
    else if (message.reply !== undefined) this.#answer(message as Reply);
    else if (message.hello === 'minirt-monitor') this.#greeted?.(message as Hello);
  }

  #answer(reply: Reply): void {
    const waiter = this.#waiting.get(reply.reply)?.shift();
    if (waiter === undefined) return;
    if (reply.ok) return waiter.resolve();
    const name = errnoName(reply.errno ?? 0);
    const stage = reply.reply === 'start' ? 'exec' : 'control';
    waiter.reject(
      new MinirtError('helper.failed', `${reply.reply} container: ${name}`, {
        details: { stage, errno: reply.errno, errnoName: name, what: reply.reply },
      }),
    );
  }

  #end(): void {
    const error = this.#ended ?? gone(undefined);
    for (const waiters of this.#waiting.values()) for (const waiter of waiters) waiter.reject(error);
    this.#waiting.clear();
  }
}

function gone(cause: Error | undefined): MinirtError {
  const why = cause === undefined ? 'the monitor is gone' : cause.message;
  return new MinirtError('container.not-found', `reach monitor: ${why}`, { cause });
}

/** One line of a record file or of the watch stream. */
function parseRecord(line: string): MonitorRecord {
  const { t, ...rest } = JSON.parse(line) as { t: string };
  return { ...rest, t: BigInt(t) } as MonitorRecord;
}

/** All records of a container's life so far; an incomplete last line is ignored, a missing file is an empty list. */
export async function readRecords(path: string): Promise<MonitorRecord[]> {
  const text = await readFile(path, 'utf8').catch((error: unknown) => {
    if (isErrno(error, 'ENOENT')) return '';
    throw error;
  });
  return text.split('\n').slice(0, -1).map(parseRecord);
}
