import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync, existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { podFromObject } from '../../src/manifest/parse.ts';
import { type PodView, findDeleted, listDeleted, readJournal } from '../../src/pod/view.ts';
import { type Roots, deletedDir, podLogs } from '../../src/state/paths.ts';
import { archivePod } from '../../src/supervisor/archive.ts';
import { registerPod, removePod } from '../../src/supervisor/registry.ts';

const folder = mkdtempSync('/tmp/mrt-');
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

function someRoots(): Roots {
  const own = mkdtempSync(join(folder, 'x'));
  return { root: join(own, 'r'), state: join(own, 's'), logs: join(own, 'l') };
}

/** A pod with a journal and a log, which nobody ever ran. */
async function somePod(roots: Roots, name: string, namespace = 'default'): Promise<PodView> {
  const spec = { containers: [{ name: 'c', image: 'busybox' }] };
  const pod = podFromObject({ apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace }, spec });
  const view = await registerPod(roots, pod, {});
  writeFileSync(view.paths.journal, '{"seq":1,"t":"1","wall":"2026-01-01T00:00:00.000Z","kind":"note","text":"hi"}\n');
  mkdirSync(join(podLogs(roots, view), 'c'), { recursive: true });
  writeFileSync(join(podLogs(roots, view), 'c', '0.log'), '');
  return view;
}

test('a removed pod can still be read: its manifest, record, journal and logs', async () => {
  const roots = someRoots();
  const view = await somePod(roots, 'web');
  await removePod(roots, view);
  expect(existsSync(view.paths.dir)).toBe(false);
  const kept = await findDeleted(roots, 'default', 'web');
  expect(kept).toMatchObject({ uid: view.uid, name: 'web', record: view.record, object: view.object });
  expect(await readJournal(kept.paths.journal)).toEqual([expect.objectContaining({ seq: 1, text: 'hi' })]);
  expect(existsSync(join(podLogs(roots, kept), 'c', '0.log'))).toBe(true);
});

test('of several of one name the last one is meant, of its own namespace', async () => {
  const roots = someRoots();
  const views: PodView[] = [];
  for (const namespace of ['default', 'default', 'other']) {
    const view = await somePod(roots, 'web', namespace);
    await removePod(roots, view);
    views.push(view);
  }
  expect((await findDeleted(roots, 'default', 'web')).uid).toBe(views[1]?.uid);
  expect((await findDeleted(roots, 'other', 'web')).uid).toBe(views[2]?.uid);
  expect((await listDeleted(roots, undefined)).map(({ uid }) => uid)).toEqual(views.map(({ uid }) => uid));
  await expect(findDeleted(roots, 'default', 'nope')).rejects.toMatchObject({ code: 'pod.not-found' });
});

test('the last 20 are kept; a half-written one keeps nobody from going', async () => {
  const roots = someRoots();
  const first = await somePod(roots, 'first');
  await removePod(roots, first);
  const torn = join(deletedDir(roots), '000000000000001-torn');
  mkdirSync(torn);
  writeFileSync(join(torn, 'pod.json'), '{"metadata":');
  const last = await somePod(roots, 'last');
  for (let i = 0; i < 19; i++) await removePod(roots, await somePod(roots, `p${i}`));
  expect(existsSync(torn)).toBe(false);
  expect(await listDeleted(roots, undefined)).toHaveLength(20);
  expect(existsSync(podLogs(roots, first))).toBe(true);
  await removePod(roots, last);
  const names = (await listDeleted(roots, undefined)).map(({ name }) => name);
  expect([names.length, names[0], names.at(-1)]).toEqual([20, 'p0', 'last']);
  expect(existsSync(podLogs(roots, first))).toBe(false);
});

test('a pod whose owner died over removing it is kept once, with its logs', async () => {
  const roots = someRoots();
  const view = await somePod(roots, 'web');
  await archivePod(roots, view);
  await removePod(roots, view);
  expect(readdirSync(deletedDir(roots))).toHaveLength(1);
  expect(existsSync(podLogs(roots, view))).toBe(true);
});
