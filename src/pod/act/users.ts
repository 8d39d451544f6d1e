/** Which ids of the host a pod with `hostUsers: false` has for its own. */
import { mkdirSync, readdirSync, readlinkSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { MinirtError, isErrno } from '../../base/errors.ts';
import type { IdRange } from '../../container/spec.ts';
import { MAPPED_TMPFS, kernelIsAtLeast } from '../../sys/host.ts';
import { stateTag } from '../../sys/state-tag.ts';

/** As many as a kubelet gives (userNamespaces.idsPerPod). */
const COUNT = 65536;
/** systemd leaves 0x70000000 to 0x7fffffff to nobody (UIDS-GIDS.md); useradd and nspawn stay far below. */
const FIRST_BLOCK = 0x7000;
const BLOCKS = 0x1000;

/**
 * The range of a pod, claimed once: a link `users/<block>` below the state folder names who has it. Which blocks are tried
 * first depends on the folder, so that two minirts on one host do not meet.
 * @throws MinirtError host.unsupported where the kernel cannot map the ids of every volume
 */
export function claimIds(state: string, uid: string): IdRange {
  if (!kernelIsAtLeast(...MAPPED_TMPFS)) {
    const needed = MAPPED_TMPFS.join('.');
    throw new MinirtError('host.unsupported', `make a user namespace: id-mapped tmpfs takes Linux ${needed} or newer`, {
      hint: 'leave hostUsers out, or run minirt on a newer kernel',
    });
  }
  const known = idsOf(state, uid);
  if (known !== undefined) return known;
  const dir = folder(state);
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const start = Number.parseInt(stateTag(state), 16) % BLOCKS;
  for (let i = 0; i < BLOCKS; i++) {
    const block = FIRST_BLOCK + ((start + i) % BLOCKS);
    try {
      symlinkSync(uid, join(dir, block.toString(16)));
      return rangeOf(block);
    } catch (error) {
      if (!isErrno(error, 'EEXIST')) throw error;
    }
  }
  throw new MinirtError('host.unsupported', `make a user namespace: all ${BLOCKS} ranges of ids are taken`);
}

/** The range that a pod has claimed. */
export function idsOf(state: string, uid: string): IdRange | undefined {
  const name = claimOf(state, uid);
  return name === undefined ? undefined : rangeOf(Number.parseInt(name, 16));
}

/** Again is no error. */
export function releaseIds(state: string, uid: string): void {
  const name = claimOf(state, uid);
  if (name !== undefined) rmSync(join(folder(state), name), { force: true });
}

function folder(state: string): string {
  return join(state, 'users');
}

function rangeOf(block: number): IdRange {
  return { first: block * COUNT, count: COUNT };
}

function claimOf(state: string, uid: string): string | undefined {
  try {
    return readdirSync(folder(state)).find((name) => ownerOf(join(folder(state), name)) === uid);
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}

function ownerOf(link: string): string | undefined {
  try {
    return readlinkSync(link);
  } catch (error) {
    // Another owner's pod has just ended.
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}
