import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { silentLogger } from '../../src/base/log.ts';
import { openImageStore } from '../../src/image/store.ts';
import { ensureRecipe } from '../../src/image/recipe.ts';
import { parseManifest } from '../../src/manifest/parse.ts';
import type { JournalEntry } from '../../src/pod/journal-entry.ts';
import type { PodView } from '../../src/pod/view.ts';
import { type PodHost, openHost } from '../../src/supervisor/host.ts';
import { registerPod } from '../../src/supervisor/registry.ts';
import { imageRoot } from '../support/cli.ts';

const RUNS = 50;
const AT_ONCE = 2;
const SECOND = 1_000_000_000n;

type Entry<K extends JournalEntry['kind']> = Extract<JournalEntry, { kind: K }>;

interface Life {
  readonly view: PodView;
  readonly entries: readonly JournalEntry[];
}

const folder = mkdtempSync('/tmp/mrt-');
const roots = { root: imageRoot, state: join(folder, 's'), logs: join(folder, 'l') };
const opened = { host: undefined as PodHost | undefined };

beforeAll(async () => {
  const store = openImageStore(roots.root);
  for (const recipe of ['busybox', 'nginx-term']) await ensureRecipe(store, recipe, new AbortController().signal);
  opened.host = await openHost(roots, { owner: 'foreground', log: silentLogger() });
});
afterAll(async () => {
  await opened.host?.close();
  rmSync(folder, { recursive: true, force: true });
});

describe('a graceful end', () => {
  test(`of nginx, ${RUNS} times: preStop ends before any signal, and nobody waits for the grace period`, async () => {
    const preStop = { exec: { command: ['/usr/sbin/nginx', '-s', 'quit'] } };
    // nginx is told to quit by the pid that it writes when it is up.
    const up = 'until [ -s /run/nginx.pid ]; do sleep 0.02; done';
    const postStart = { exec: { command: ['/bin/sh', '-c', up] } };
    const outcomes = { goneByItself: 0, signaled: 0, hookOk: 0 };
    const one = async (number: number): Promise<void> => {
      const { view, entries } = await live(`nginx-${number}`, {
        image: 'nginx-term',
        lifecycle: { postStart, preStop },
      });
      const hook = all(entries, 'hook-end').at(-1);
      const exit = only(entries, 'exit');
      const signals = all(entries, 'signal');
      if (hook === undefined) throw new Error('preStop did not run');
      // nginx may be gone before the command that told it to has ended, and takes it along.
      if (hook.outcome === 'ok') outcomes.hookOk++;
      else expect({ hook, signals }).toMatchObject({ hook: { hook: 'preStop', exitCode: 137 }, signals: [] });
      expect(exit).toMatchObject({ exitCode: 0 });
      expect(view.object.status).toMatchObject({ phase: 'Succeeded' });
      expect(BigInt(exit.at) - BigInt(only(entries, 'terminate').t)).toBeLessThan(10n * SECOND);
      for (const signal of signals) {
        expect(signal).toMatchObject({ signal: 'SIGTERM', why: 'stop' });
        expect(entries.indexOf(hook)).toBeLessThan(entries.indexOf(signal));
      }
      outcomes[signals.length === 0 ? 'goneByItself' : 'signaled']++;
      expect(signals.length).toBeLessThan(2);
    };
    for (let number = 0; number < RUNS; number += AT_ONCE) {
      await Promise.all(Array.from({ length: AT_ONCE }, (_, offset) => one(number + offset)));
    }
    expect(outcomes.goneByItself + outcomes.signaled).toBe(RUNS);
    expect(outcomes.hookOk).toBeGreaterThan(RUNS / 2);
  }, 900_000);

  test('of a deaf container: SIGKILL between 3.0 and 3.1 s after its stop signal', async () => {
    const command = ['/bin/sh', '-c', "trap '' TERM; while :; do sleep 0.1; done"];
    const { view, entries } = await live('deaf', { image: 'busybox', command }, 3);
    const [stop, kill] = all(entries, 'signal');
    expect(stop).toMatchObject({ signal: 'SIGTERM', why: 'stop' });
    expect(kill).toMatchObject({ signal: 'SIGKILL', why: 'deadline' });
    const waited = Number(BigInt(kill?.at ?? 0) - BigInt(stop?.at ?? 0)) / 1e9;
    expect(waited).toBeGreaterThanOrEqual(3.0);
    expect(waited).toBeLessThanOrEqual(3.1);
    expect(view.object.status?.containerStatuses?.[0]?.state).toMatchObject({
      terminated: { exitCode: 137, reason: 'Error' },
    });
  });
});

/** Runs a pod of one container until it is Ready, ends it with its own grace period, and tells its whole life. */
async function live(name: string, container: object, terminationGracePeriodSeconds = 30): Promise<Life> {
  const { host } = opened;
  if (host === undefined) throw new Error('the host is not open');
  const spec = { terminationGracePeriodSeconds, containers: [{ name: 'c', ...container }] };
  const text = JSON.stringify({ apiVersion: 'v1', kind: 'Pod', metadata: { name }, spec });
  const { pods, problems } = parseManifest(text, { file: name, validate: 'strict' });
  expect(problems).toEqual([]);
  const [pod] = pods;
  if (pod === undefined) throw new Error('no pod');
  const { uid } = await registerPod(roots, pod, {});
  const owned = await host.own(uid);
  const entries: JournalEntry[] = [];
  await new Promise<void>((resolve) => {
    owned.entries((entry) => {
      entries.push(entry);
      if (entry.kind === 'phase' && entry.ready) resolve();
    });
  });
  owned.terminate({ grace: undefined, remove: true, now: false });
  return { view: await owned.done, entries };
}

function all<K extends JournalEntry['kind']>(entries: readonly JournalEntry[], kind: K): readonly Entry<K>[] {
  return entries.filter((entry): entry is Entry<K> => entry.kind === kind);
}

function only<K extends JournalEntry['kind']>(entries: readonly JournalEntry[], kind: K): Entry<K> {
  const [entry, ...more] = all(entries, kind);
  if (entry === undefined || more.length > 0) throw new Error(`expected one ${kind}: ${JSON.stringify(entries)}`);
  return entry;
}
