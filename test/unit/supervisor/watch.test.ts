import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import { silentLogger } from '../../../src/base/log.ts';
import { PodEngine } from '../../../src/pod/engine.ts';
import type { JournalEntry } from '../../../src/pod/journal-entry.ts';
import { Journal } from '../../../src/pod/journal.ts';
import { newRecord } from '../../../src/pod/record.ts';
import { watchJournal } from '../../../src/supervisor/watch.ts';
import { aPod } from '../../support/pods.ts';

const folder = mkdtempSync(join(tmpdir(), 'mrt-'));

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

interface Scene {
  readonly journal: string;
  readonly say: (text: string) => void;
  readonly watching: (from?: number) => AsyncGenerator<JournalEntry>;
  readonly over: AbortController;
  readonly client: AbortController;
}

function scene(): Scene {
  const uid = randomUUID();
  const pod = aPod();
  const path = join(folder, uid);
  const engine = new PodEngine({
    pod,
    record: newRecord(pod, { uid, bootId: 'b', createdAt: '2026-01-01T00:00:00.000Z' }),
    path: `${path}.state`,
    journal: new Journal(path, systemClock),
    clock: systemClock,
    log: silentLogger(),
    actor: { perform: () => new Promise(() => undefined) },
  });
  const over = new AbortController();
  const client = new AbortController();
  return {
    journal: path,
    say: (text) => {
      engine.note({ kind: 'note', text });
    },
    watching: (from = 1) => watchJournal(engine, { journal: path, from, over: over.signal, signal: client.signal }),
    over,
    client,
  };
}

async function rest(entries: AsyncGenerator<JournalEntry>): Promise<unknown[]> {
  const list: unknown[] = [];
  for await (const entry of entries) list.push('text' in entry ? entry.text : entry.kind);
  return list;
}

test('tells what was, and what comes, once each', async () => {
  const { over, say, watching } = scene();
  say('a');
  say('b');
  const entries = watching();
  const first = await entries.next();
  expect(first).toMatchObject({ value: { seq: 1, text: 'a' } });
  // Both in the file and told live.
  say('c');
  const others = rest(entries);
  say('d');
  over.abort();
  expect(await others).toEqual(['b', 'c', 'd']);
});

test('begins where it is asked to', async () => {
  const { over, say, watching } = scene();
  for (const text of ['a', 'b', 'c']) say(text);
  over.abort();
  expect(await rest(watching(3))).toEqual(['c']);
});

test('ends with the client, and then listens no more', async () => {
  const { client, say, watching } = scene();
  say('a');
  const entries = watching();
  await entries.next();
  const next = entries.next();
  client.abort();
  expect(await next).toEqual({ value: undefined, done: true });
  say('b');
  expect(await entries.next()).toEqual({ value: undefined, done: true });
});

test('tells what came last although the files are gone', async () => {
  const { journal, over, say, watching } = scene();
  const entries = watching();
  const first = entries.next();
  await new Promise((resolve) => setImmediate(resolve));
  rmSync(journal);
  say('last');
  over.abort();
  expect(await first).toMatchObject({ value: { text: 'last' } });
  expect(await rest(entries)).toEqual([]);
});
