import { spawn } from 'node:child_process';
import { closeSync, openSync, watch } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { MinirtError, isMinirtError, messageOf } from '../base/errors.ts';
import { delegateSelf } from '../container/cgroup.ts';
import type { JournalEntry } from '../pod/journal-entry.ts';
import type { StopRequest } from '../pod/stop.ts';
import type { PodView } from '../pod/view.ts';
import { type Roots, supervisorSocket } from '../state/paths.ts';
import { underSystemd } from '../sys/host.ts';
import { stateTag } from '../sys/state-tag.ts';
import { Connection } from './connection.ts';
import { prepareState } from './registry.ts';

/**
 * How long a supervisor may take until it answers. Most answer within half a second; a small machine that starts ten pods at
 * once was seen to need 15 s, and systemd waits up to 10 s before it starts again what was killed five times.
 */
const START_MS = 30_000;
const TRY_AGAIN_MS = 100;
const START_AGAIN_MS = 1000;

/** A pod's owner, as its clients see it. */
export class OwnerClient {
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.#connection = connection;
  }

  /** Asks for the pod's end; resolves once the owner has taken note. */
  async terminate(request: StopRequest): Promise<void> {
    await this.#connection.call('terminate', { ...request });
  }

  /** The journal from an entry on, live; ends when the pod is over, and after a delete gone. */
  async *watch(fromSeq: number): AsyncGenerator<JournalEntry> {
    for await (const item of this.#connection.stream('watch', { from: fromSeq })) yield item as JournalEntry;
  }

  close(): void {
    this.#connection.close();
  }
}

/** Sees to it that somebody owns the pod: a supervisor is started when none runs. */
export async function ensureOwned(roots: Roots, uid: string): Promise<void> {
  const signal = AbortSignal.timeout(START_MS);
  for (;;) {
    const connection = await reachSupervisor(roots, signal);
    try {
      return await connection.call('own', { uid });
    } catch (error) {
      // One that was just going for want of work: the next one starts.
      if (!isMinirtError(error, 'supervisor.unreachable') || signal.aborted) throw error;
    } finally {
      connection.close();
    }
  }
}

/** Connects to the pod's owner; when that died, a supervisor adopts the pod first. */
export async function connectOwner(roots: Roots, view: PodView, signal: AbortSignal): Promise<OwnerClient> {
  try {
    return new OwnerClient(await Connection.open(view.paths.socket, view.uid, signal));
  } catch (error) {
    if (!isMinirtError(error, 'supervisor.unreachable') || signal.aborted) throw error;
  }
  await ensureOwned(roots, view.uid);
  return new OwnerClient(await Connection.open(view.paths.socket, view.uid, signal));
}

async function reachSupervisor(roots: Roots, signal: AbortSignal): Promise<Connection> {
  prepareState(roots);
  const path = supervisorSocket(roots);
  const attempt = async (): Promise<Connection | undefined> => {
    try {
      return await Connection.open(path, '', signal);
    } catch (error) {
      if (isMinirtError(error, 'supervisor.unreachable')) return undefined;
      throw error;
    }
  };
  const running = await attempt();
  if (running !== undefined) return running;
  return untilReached(roots, attempt, { signal, start: () => startSupervisor(roots) });
}

/** Tries whenever something changes beside the socket, and now and then: a lock may be about to be released. */
async function untilReached(
  roots: Roots,
  attempt: () => Promise<Connection | undefined>,
  { signal, start }: { signal: AbortSignal; start: () => Promise<void> },
): Promise<Connection> {
  // A failed start need not be one: somebody else may have started it in this moment.
  let failed: unknown;
  let startAt = 0;
  const begin = (): void => {
    startAt = Infinity;
    start().then(
      () => {
        // It went because there was one, or was killed. Should that have been about to go, then there is none now.
        startAt = performance.now() + START_AGAIN_MS;
      },
      (error: unknown) => {
        failed = error;
      },
    );
  };
  let rouse: (() => void) | undefined;
  const wake = (): void => rouse?.();
  const watcher = watch(join(roots.state, 's')).on('change', wake);
  const timer = setInterval(wake, TRY_AGAIN_MS);
  try {
    for (;;) {
      const changed = new Promise<void>((resolve) => {
        rouse = resolve;
      });
      const reached = await attempt();
      if (reached !== undefined) return reached;
      if (signal.aborted || failed !== undefined) throw unreachable(roots, failed);
      if (performance.now() >= startAt) begin();
      await changed;
    }
  } finally {
    clearInterval(timer);
    watcher.close();
  }
}

function unreachable(roots: Roots, cause: unknown): MinirtError {
  const why = cause === undefined ? 'it does not answer' : messageOf(cause);
  return new MinirtError('supervisor.unreachable', `start supervisor: ${roots.state}: ${why}`, {
    cause,
    hint: underSystemd()
      ? `its log: journalctl -u ${unitOf(roots)}`
      : `its log is ${join(roots.state, 'supervisor.log')}`,
  });
}

function unitOf(roots: Roots): string {
  return `minirt-${stateTag(roots.state)}.service`;
}

/** What pulls go by: proxies, and where credentials are. */
const OF_PULLS: readonly string[] = [
  ...['HTTP_PROXY', 'HTTPS_PROXY', 'NO_PROXY'].flatMap((name) => [name, name.toLowerCase()]),
  ...['HOME', 'DOCKER_CONFIG', 'REGISTRY_AUTH_FILE', 'XDG_RUNTIME_DIR', 'CONTAINERS_REGISTRIES_CONF'],
];

/** What a service of systemd would otherwise not be told: it starts with an environment of its own. */
function ownEnvironment(): Record<string, string> {
  const own = ['MINIRT_HELPER', 'CNI_PATH', ...OF_PULLS].map((name) => [name, process.env[name]] as const);
  return Object.fromEntries(own.filter((pair): pair is readonly [string, string] => pair[1] !== undefined));
}

/** Rejects when what was started ends badly; stays open as long as it runs. */
async function startSupervisor(roots: Roots): Promise<void> {
  const program = fileURLToPath(new URL('../../dist/main.js', import.meta.url));
  const global = ['--root', roots.root, '--state', roots.state, '--log-dir', roots.logs];
  const command = [process.execPath, program, ...global, 'serve', '--on-demand'];
  if (underSystemd()) {
    const description = `minirt supervisor of ${roots.state}`;
    return delegateSelf('service', { unit: unitOf(roots), description, command, env: ownEnvironment() });
  }
  const [file = '', ...args] = command;
  const fd = openSync(join(roots.state, 'supervisor.log'), 'a', 0o600);
  const child = spawn(file, args, { detached: true, stdio: ['ignore', fd, fd], cwd: '/' });
  closeSync(fd);
  child.unref();
  await new Promise<void>((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code, by) => {
      // One that was killed is no reason to give up: the next one takes over what it had.
      if (code === 0 || by === 'SIGKILL') resolve();
      else reject(new MinirtError('supervisor.unreachable', `it ended with ${by ?? `status ${String(code)}`}`));
    });
  });
}
