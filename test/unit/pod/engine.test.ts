import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { type Clock, systemClock } from '../../../src/base/clock.ts';
import { silentLogger } from '../../../src/base/log.ts';
import { type Actor, PodEngine } from '../../../src/pod/engine.ts';
import { Journal } from '../../../src/pod/journal.ts';
import { type Action, actionKey } from '../../../src/pod/plan.ts';
import { type PodRecord, newRecord } from '../../../src/pod/record.ts';
import { SOME_UID, aPod } from '../../support/pods.ts';
import { eventually } from '../../support/cli.ts';

const folders: string[] = [];

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

/** An actor that notes what it is asked for, and answers as the test says. */
function actor(answer: (action: Action) => Promise<void> = async () => undefined): Actor & { readonly seen: string[] } {
  const seen: string[] = [];
  return {
    seen,
    perform: (action) => {
      seen.push(actionKey(action));
      return answer(action);
    },
  };
}

interface Scene {
  readonly engine: PodEngine;
  readonly folder: string;
  readonly journal: Journal;
  readonly written: () => string;
}

function scene(given: Partial<PodRecord>, its: Actor, clock: Clock = systemClock): Scene {
  const folder = mkdtempSync(join(tmpdir(), 'mrt-'));
  folders.push(folder);
  const pod = aPod();
  const journal = new Journal(join(folder, 'journal'), systemClock);
  const record = { ...newRecord(pod, { uid: SOME_UID, bootId: 'b', createdAt: '2026-01-01T00:00:00.000Z' }), ...given };
  const path = join(folder, 'state');
  const engine = new PodEngine({ pod, record, path, journal, clock, log: silentLogger(), actor: its });
  return { engine, folder, journal, written: () => readFileSync(join(folder, 'journal'), 'utf8') };
}

const never = (): Promise<void> => new Promise(() => undefined);
const stop = { grace: undefined, remove: true, now: false };

describe('an engine', () => {
  test('of a pod that had ended is at its end at once: its owner died before it could drop it', async () => {
    const { engine } = scene({ ended: { phase: 'Succeeded', wall: '2026-01-01T00:00:00.000Z' } }, actor());
    engine.start();
    await expect(engine.ended).resolves.toBeUndefined();
  });

  test('looks at what happens before it is started only then', async () => {
    const its = actor(never);
    const { engine, written } = scene({}, its);
    engine.terminate(stop);
    expect(written()).toBe('');
    engine.start();
    await expect(engine.ended).resolves.toBeUndefined();
    expect(its.seen).toEqual([]);
    expect(written()).toMatch(/"kind":"terminate"[^]*"kind":"ended"/);
  });

  test('that was released writes nothing more: the files are the next owner’s', async () => {
    const { engine, folder, journal, written } = scene({}, actor(never));
    engine.start();
    const before = written();
    engine.release();
    journal[Symbol.dispose]();
    rmSync(join(folder, 'state'));
    engine.emit({ kind: 'sandboxReady', ip: '10.0.0.2' });
    engine.note({ kind: 'note', text: 'late' });
    expect(engine.record.sandbox).toEqual({ phase: 'making' });
    expect(written()).toBe(before);
    await expect(engine.ended).rejects.toMatchObject({ code: 'aborted' });
  });

  test('that was released begins nothing more', async () => {
    const its = actor();
    const { engine } = scene({}, its);
    engine.start();
    engine.release();
    await new Promise((resolve) => setImmediate(resolve));
    expect(its.seen).toEqual([]);
  });

  test('tries an action that fails again, but not all the time', async () => {
    const its = actor(() => Promise.reject(new Error('no luck')));
    const { engine } = scene({}, its);
    engine.start();
    await eventually(() => {
      expect(its.seen).toEqual(['sandbox']);
    });
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(its.seen).toEqual(['sandbox']);
    await eventually(() => {
      expect(its.seen).toEqual(['sandbox', 'sandbox']);
    });
    engine.release();
  });

  test('that cannot write lets the pod go, also when it was a timer that woke it', async () => {
    const due: (() => void)[] = [];
    const clock: Clock = { ...systemClock, at: (_at, call) => (due.push(call), () => undefined) };
    const retryAt = systemClock.now() + 20_000_000n;
    const sandbox = { phase: 'failed', message: 'no', retryAt } as const;
    const { engine, folder } = scene({ startedAt: 'x', sandbox }, actor(), clock);
    engine.start();
    await eventually(() => {
      expect(systemClock.now()).toBeGreaterThan(retryAt);
    });
    rmSync(folder, { recursive: true, force: true });
    expect(due).toHaveLength(1);
    for (const call of due) call();
    await expect(engine.ended).rejects.toMatchObject({ code: 'io' });
  });
});
