import { existsSync, readFileSync, watch, writeFileSync } from 'node:fs';
import type { FSWatcher } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { isErrno } from '../../base/errors.ts';
import { Patience, descendants, isGone, processesIn } from './tree.ts';

/** How long a killed process may take to go (it may sit in a hung filesystem) before that is an error. */
const KILL_LIMIT_MS = 30_000;

/** How long the freezer may take before its processes are killed unfrozen. */
const FREEZE_LIMIT_MS = 250;

/** A way to end everything in a cgroup and below. Resolves once nothing is left; no cgroup is no error. */
export type Kill = (dir: string) => Promise<void>;

/** cgroup2: `cgroup.kill` (Linux 5.14) kills atomically, forks in flight included; without it the freezer is used. */
export const killUnified: Kill = (dir) =>
  untilUnpopulated(dir, async () => {
    if (!writeKnob(dir, 'cgroup.kill', '1')) await killFrozen(dir, unifiedFreezer);
  });

/** cgroup2 without `cgroup.kill`. */
export const killUnifiedFrozen: Kill = (dir) => untilUnpopulated(dir, () => killFrozen(dir, unifiedFreezer));

async function untilUnpopulated(dir: string, killAll: () => Promise<void>): Promise<void> {
  const patience = new Patience(`kill cgroup: ${dir}`, KILL_LIMIT_MS);
  while (isPopulated(dir)) {
    await killAll();
    await unpopulated(dir, Math.min(1000, patience.leftMs));
    if (isPopulated(dir)) patience.check(() => `still there: ${processesIn(dir).join(' ')}`);
  }
}

/** v1: freeze, kill every process, thaw, until none is left. Nothing tells when a v1 cgroup is empty, so this looks. */
export const killWithFreezer: Kill = async (dir) => {
  const patience = new Patience(`kill cgroup: ${dir}`, KILL_LIMIT_MS);
  while (processesIn(dir).length > 0) {
    await killFrozen(dir, v1Freezer);
    await patience.wait(() => `still there: ${processesIn(dir).join(' ')}`);
  }
};

interface Freezer {
  readonly knob: string;
  readonly on: string;
  readonly off: string;
}

const unifiedFreezer: Freezer = { knob: 'cgroup.freeze', on: '1', off: '0' };
const v1Freezer: Freezer = { knob: 'freezer.state', on: 'FROZEN', off: 'THAWED' };

/** What is frozen can neither fork nor end, so that its pid cannot have become somebody else's when it is killed. */
async function killFrozen(dir: string, freezer: Freezer): Promise<void> {
  writeKnob(dir, freezer.knob, freezer.on);
  const end = process.hrtime.bigint() + BigInt(FREEZE_LIMIT_MS) * 1_000_000n;
  while (!isFrozen(dir) && process.hrtime.bigint() < end) await delay(1);
  try {
    for (const pid of processesIn(dir)) kill(pid);
  } finally {
    // A descendant may have been frozen by its own hand.
    for (const cgroup of descendants(dir)) writeKnob(cgroup, freezer.knob, freezer.off);
  }
}

function isFrozen(dir: string): boolean {
  const state = readKnob(dir, 'freezer.state');
  if (state !== undefined) return state.trim() === 'FROZEN';
  const events = readKnob(dir, 'cgroup.events');
  return events === undefined || /^frozen 1$/m.test(events);
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if (!isErrno(error, 'ESRCH')) throw error;
  }
}

function isPopulated(dir: string): boolean {
  const events = readKnob(dir, 'cgroup.events');
  return events !== undefined && !/^populated 0$/m.test(events);
}

/** Resolves when the kernel says that nothing lives in the cgroup any more, or after `limitMs`. */
async function unpopulated(dir: string, limitMs: number): Promise<void> {
  await new Promise<void>((resolve) => {
    const timer = setTimeout(done, limitMs);
    let watcher: FSWatcher | undefined;
    function done(): void {
      clearTimeout(timer);
      watcher?.close();
      resolve();
    }
    function look(): void {
      if (!isPopulated(dir)) done();
    }
    try {
      watcher = watch(join(dir, 'cgroup.events'), look);
      watcher.on('error', done);
    } catch {
      // No inotify instance left, or the cgroup is gone: the caller looks again.
      setTimeout(done, 5);
      return;
    }
    look();
  });
}

function readKnob(dir: string, name: string): string | undefined {
  try {
    return readFileSync(join(dir, name), 'utf8');
  } catch (error) {
    if (isGone(error)) return undefined;
    throw error;
  }
}

/** False when there is no such knob; a cgroup that is gone needs none. */
function writeKnob(dir: string, name: string, value: string): boolean {
  try {
    // Not O_CREAT: cgroupfs answers that with EACCES where ENOENT is meant.
    writeFileSync(join(dir, name), value, { flag: 'r+' });
    return true;
  } catch (error) {
    if (isGone(error)) return !existsSync(dir);
    throw error;
  }
}
