import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { MinirtError, isErrno, messageOf } from '../base/errors.ts';
import type { Logger } from '../base/log.ts';
import { FileLock } from '../helper/flock.ts';
import type { PodRecord } from '../pod/record.ts';
import { viewPod } from '../pod/view.ts';
import { type Roots, supervisorSocket } from '../state/paths.ts';
import { type PodHost, isOwnedElsewhere, openHost, supervisorLock } from './host.ts';
import { type Method, listen } from './listen.ts';
import { isNamed, prepareState, removePod } from './registry.ts';

/** An on-demand supervisor without pods and clients goes after this long. */
const IDLE_MS = 2000;
/** How long who registered a pod may take to have it owned. */
const CLAIM_MS = 10_000;
/** How long `serve` waits for an idle on-demand supervisor to go. */
const HANDOVER_MS = 2 * IDLE_MS;

export interface ServeOptions {
  /** Started by a client: goes again when there is nothing left to do. */
  readonly onDemand: boolean;
  readonly log: Logger;
  readonly signal: AbortSignal;
}

/** The supervisor of a `--state`: owns all detached pods until `signal`, or, on demand, until there are none. */
export async function serve(roots: Roots, options: ServeOptions): Promise<void> {
  prepareState(roots);
  const lock = await takeLock(supervisorLock(roots), options.onDemand ? 0 : HANDOVER_MS);
  if (lock === undefined) {
    if (options.onDemand) return;
    throw new MinirtError('state.busy', `serve: ${roots.state}: a supervisor runs already`);
  }
  try {
    const host = await openHost(roots, { owner: 'supervisor', log: options.log });
    await using socket = await listen(supervisorSocket(roots), '', { own: ownMethod(host) });
    await adoptAll(roots, host, options.log);
    await idle(() => host.size + socket.clients(), options);
    await host.close();
  } finally {
    await lock.release();
  }
}

async function takeLock(path: string, patienceMs: number): Promise<FileLock | undefined> {
  const until = performance.now() + patienceMs;
  for (;;) {
    const lock = await FileLock.tryAcquire(path);
    if (lock !== undefined || performance.now() >= until) return lock;
    await sleep(IDLE_MS / 10);
  }
}

function ownMethod(host: PodHost): Method {
  return async function* own(params) {
    try {
      await host.own(String(params['uid']));
    } catch (error) {
      if (!isOwnedElsewhere(error)) throw error;
    }
    yield { owned: true };
  };
}

/** Takes every pod that is not over and has no owner. One that cannot be taken does not keep the others waiting. */
async function adoptAll(roots: Roots, host: PodHost, log: Logger): Promise<void> {
  for (const uid of await readdir(join(roots.state, 'pods'))) {
    try {
      const view = await viewPod(roots, uid);
      const { record } = view;
      if (isFresh(record)) continue;
      if (record.startedAt === undefined && !(await isNamed(roots, view))) {
        // Whoever was to register it died before it had its name: nobody knows of it.
        await removePod(roots, view);
      } else if (record.ended === undefined || record.termination?.remove === true) await host.own(uid);
    } catch (error) {
      if (isOwnedElsewhere(error) || isErrno(error, 'ENOENT')) continue;
      log.error({ pod: uid, error: messageOf(error) }, 'could not take pod');
    }
  }
}

/** A pod that its client has only just registered: the client itself takes it, or says who should. */
function isFresh({ startedAt, createdAt }: PodRecord): boolean {
  return startedAt === undefined && Date.now() - Date.parse(createdAt) < CLAIM_MS;
}

/** Resolves when asked to stop, or when an on-demand supervisor has had nothing to do for a while. */
async function idle(busy: () => number, options: ServeOptions): Promise<void> {
  await new Promise<void>((resolve) => {
    let quietSince: number | undefined;
    const timer = setInterval(() => {
      if (!options.onDemand || busy() > 0) quietSince = undefined;
      else quietSince ??= performance.now();
      if (quietSince !== undefined && performance.now() - quietSince >= IDLE_MS) finish();
    }, IDLE_MS / 4);
    const finish = (): void => {
      clearInterval(timer);
      resolve();
    };
    if (options.signal.aborted) finish();
    options.signal.addEventListener('abort', finish, { once: true });
  });
}
