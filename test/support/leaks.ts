import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, expect } from 'vitest';
import { diff, snapshot } from '../../src/doctor/snapshot.ts';
import type { Snapshot } from '../../src/doctor/snapshot.ts';
import type { Roots } from '../../src/state/paths.ts';

/** How long what is on its way out may take: the kernel removes veths and namespaces when it gets round to it. */
const LIMIT_MS = 5000;

/**
 * After every test of this file the host must be as it was before: call it once, above all other hooks, so that their
 * cleaning up comes first. With `roots` only what belongs to them counts; without, the whole host.
 */
export function expectNoLeaks(roots?: () => Roots | undefined): void {
  let before: Snapshot;

  beforeEach(async () => {
    before = await snapshot(roots?.());
  });

  afterEach(async () => {
    expect(await leftSince(before, roots?.())).toEqual([]);
  });
}

/** What is there and was not there before; waits a little for it to go. */
export async function leftSince(before: Snapshot, roots?: Roots): Promise<string[]> {
  const end = Date.now() + LIMIT_MS;
  for (let pause = 10; ; pause = Math.min(pause * 2, 200)) {
    const left = diff(before, await snapshot(roots));
    if (left.length === 0 || Date.now() > end) return left;
    await delay(pause);
  }
}
