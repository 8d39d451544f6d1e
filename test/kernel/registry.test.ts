import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { silentLogger } from '../../src/base/log.ts';
import { podFromObject } from '../../src/manifest/parse.ts';
import type { Pod } from '../../src/manifest/pod.ts';
import { decodeRecord, encodeRecord, type PodRecord } from '../../src/pod/record.ts';
import { type PodView, findPod, listPods } from '../../src/pod/view.ts';
import { registerPod } from '../../src/supervisor/registry.ts';
import { serve } from '../../src/supervisor/server.ts';
import { type Roots, indexDir } from '../../src/state/paths.ts';
import { expectNoLeaks } from '../support/leaks.ts';

const folder = mkdtempSync('/tmp/mrt-');

expectNoLeaks(() => ({ root: folder, state: folder, logs: folder }));
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

function someRoots(): Roots {
  const own = mkdtempSync(join(folder, 'x'));
  return { root: join(own, 'r'), state: join(own, 's'), logs: join(own, 'l') };
}

function podNamed(name: string): Pod {
  return podFromObject({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name },
    spec: { containers: [{ name: 'c', image: 'busybox' }] },
  });
}

function change(view: PodView, changes: Partial<PodRecord>): void {
  const record = decodeRecord(readFileSync(view.paths.state, 'utf8'));
  writeFileSync(view.paths.state, encodeRecord({ ...record, ...changes }));
}

/** A supervisor that takes what it finds, and goes. */
async function supervise(roots: Roots): Promise<void> {
  await serve(roots, { onDemand: true, log: silentLogger(), signal: AbortSignal.timeout(30_000) });
}

const ended = { phase: 'Succeeded', wall: '2026-01-01T00:00:00.000Z' } as const;
const termination = {
  cause: 'request' as const,
  requestedAt: 1n,
  requestedWall: '2026-01-01T00:00:00.000Z',
  grace: 1,
  hooksUntil: 1n,
  killBy: undefined,
  now: false,
  remove: true,
};

test('a pod whose owner died before it could drop it is dropped by the next one', async () => {
  const roots = someRoots();
  const view = await registerPod(roots, podNamed('late'), {});
  change(view, { ended, termination, startedAt: ended.wall });
  await supervise(roots);
  expect(existsSync(view.paths.dir)).toBe(false);
  expect(await listPods(roots, undefined)).toEqual([]);
});

test('… and leaves the name to whoever has it by then', async () => {
  const roots = someRoots();
  const first = await registerPod(roots, podNamed('again'), {});
  change(first, { ended, termination, startedAt: ended.wall });
  rmSync(join(indexDir(roots, 'default'), 'again'));
  const second = await registerPod(roots, podNamed('again'), {});
  await supervise(roots);
  expect(existsSync(first.paths.dir)).toBe(false);
  expect(await findPod(roots, 'default', 'again')).toMatchObject({ uid: second.uid });
});

test('a pod that never got its name is swept, not run', async () => {
  const roots = someRoots();
  const view = await registerPod(roots, podNamed('nobody'), {});
  rmSync(join(indexDir(roots, 'default'), 'nobody'));
  change(view, { createdAt: '2026-01-01T00:00:00.000Z' });
  await supervise(roots);
  expect(readdirSync(join(roots.state, 'pods'))).toEqual([]);
});

test('one pod that cannot be read does not hide the others', async () => {
  const roots = someRoots();
  const bad = await registerPod(roots, podNamed('bad'), {});
  await registerPod(roots, podNamed('good'), {});
  writeFileSync(bad.paths.state, '{');
  expect((await listPods(roots, 'default')).map(({ name }) => name)).toEqual(['good']);
  await expect(findPod(roots, 'default', 'bad')).rejects.toThrow(SyntaxError);
});

test('of two at the same time one gets the name', async () => {
  const roots = someRoots();
  mkdirSync(roots.state, { recursive: true });
  const results = await Promise.allSettled([1, 2].map(() => registerPod(roots, podNamed('twin'), {})));
  expect(results.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
  expect(results.find(({ status }) => status === 'rejected')).toMatchObject({ reason: { code: 'pod.exists' } });
  expect(readdirSync(join(roots.state, 'pods'))).toHaveLength(1);
});
