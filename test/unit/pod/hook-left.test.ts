import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { systemClock } from '../../../src/base/clock.ts';
import { silentLogger } from '../../../src/base/log.ts';
import { PodActor } from '../../../src/pod/act/actor.ts';
import type { PodHostPorts } from '../../../src/pod/act/host.ts';
import type { EngineView } from '../../../src/pod/engine.ts';
import type { Note } from '../../../src/pod/journal-entry.ts';
import type { PodEvent } from '../../../src/pod/step.ts';
import { containerPaths } from '../../../src/state/paths.ts';
import { SOME_UID, aPod, aRecord, shell, withContainer } from '../../support/pods.ts';

const ID = 'a'.repeat(64);
const folder = mkdtempSync(join(tmpdir(), 'mrt-'));
const roots = { root: join(folder, 'r'), state: join(folder, 's'), logs: join(folder, 'l') };
const { execs } = containerPaths(roots, SOME_UID, ID);

afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

/** What comes of a preStop hook that an owner left open when it had told the container's exit already. */
async function takeUp(): Promise<{ events: PodEvent[]; notes: Note[] }> {
  const pod = aPod({ containers: [{ preStop: shell('echo x') }] });
  const terminated = {
    exitCode: 0,
    reason: 'Completed',
    message: undefined,
    startedAt: '2026-01-01T00:00:00.000Z',
    finishedAt: '2026-01-01T00:00:01.000Z',
    finishedMono: 1n,
    containerId: ID,
  };
  const record = withContainer(aRecord(pod), {
    state: { phase: 'exited', terminated, because: undefined, shown: undefined },
    hooks: { postStart: undefined, preStop: { execId: 'prestop', since: 0n, ended: undefined } },
  });
  const events: PodEvent[] = [];
  const notes: Note[] = [];
  const engine: EngineView = {
    pod,
    record,
    emit: (event) => events.push(event),
    note: (note) => notes.push(note),
  };
  // Nothing of the host is asked for.
  const ports = { roots, clock: systemClock, log: silentLogger(), signal: new AbortController().signal };
  await new PodActor(ports as PodHostPorts).perform({ kind: 'hook', name: 'c', id: ID, hook: 'preStop' }, engine);
  return { events, notes };
}

test('a hook whose container is gone ends, though nothing was left of it', async () => {
  const { events, notes } = await takeUp();
  expect(events).toMatchObject([{ kind: 'container', event: { kind: 'hookEnded', hook: 'preStop', ok: false } }]);
  expect(notes).toMatchObject([{ kind: 'hook-end', message: 'the container exited while the hook ran' }]);
});

test('a hook whose container is gone ends as it did, when it could still say so', async () => {
  mkdirSync(execs, { recursive: true });
  writeFileSync(join(execs, 'prestop.begun'), '');
  writeFileSync(join(execs, 'prestop.log'), '2026-01-01T00:00:00.000000000Z stdout F x\n');
  writeFileSync(join(execs, 'prestop.result'), '{"event":"exited","code":0,"truncated":false,"t":"5","wall":5}\n');
  const { events, notes } = await takeUp();
  expect(events).toMatchObject([{ kind: 'container', event: { kind: 'hookEnded', hook: 'preStop', ok: true } }]);
  expect(notes).toMatchObject([{ kind: 'hook-end', outcome: 'ok', output: expect.stringContaining('F x') as string }]);
});
