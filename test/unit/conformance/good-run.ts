import type { Note } from '../../../src/pod/journal-entry.ts';
import { expectationOf } from '../../conformance/deliberate.ts';
import type { Observed } from '../../conformance/observed.ts';
import type { Recording } from '../../conformance/recording.ts';

/** Second at which the delete comes. */
export const DELETED = 1_000;

/** A run in which minirt did exactly what is expected of it. */
export function goodRun(recording: Recording): Observed {
  const expected = expectationOf(recording);
  const notes: [at: number, note: Note][] = [];
  const last = Math.max(expected.phases.length, expected.ready.length) - 1;
  for (let index = 0; index <= last; index++) {
    const phase = expected.phases[Math.min(index, expected.phases.length - 1)] ?? '';
    notes.push([
      1,
      { kind: 'phase', phase, ready: expected.ready[Math.min(index, expected.ready.length - 1)] === 'True' },
    ]);
  }
  for (const [container, states] of Object.entries(expected.containers)) {
    for (const state of states) notes.push([2, { kind: 'state', container, ...state }]);
  }
  for (const { type, reason, message, container, count } of expected.events) {
    for (let time = 0; time < count; time++) {
      const about = container === '' ? {} : { container };
      notes.push([3, { kind: 'event', type: type as 'Normal', reason, message, ...about }]);
    }
  }
  const step = recording.steps.find((one) => one[0] === 'delete');
  if (step !== undefined) notes.push(...death(recording, step[1]));
  return {
    entries: notes.map(([at, note], index) => ({
      seq: index + 1,
      t: ns(at),
      wall: new Date(at * 1000).toISOString(),
      ...note,
    })),
    object: {
      status: {
        phase: expected.phases.at(-1) ?? '',
        qosClass: expected.qosClass,
        ...(expected.podReason === null ? {} : { reason: expected.podReason }),
      },
    },
    logs: expected.logs,
    execs: expected.execs.map(({ exit, stdout, stderr }) => ({ exit, stdout, stderr })),
  };
}

function death(recording: Recording, asked: number | null): [at: number, note: Note][] {
  const { deleteSeconds, containers } = expectationOf(recording);
  const grace = Math.max(1, asked ?? recording.pod.spec.terminationGracePeriodSeconds ?? 30);
  const least = deleteSeconds?.[0] ?? grace;
  const notes: [at: number, note: Note][] = [[DELETED, { kind: 'terminate', grace, remove: true, now: false }]];
  for (const [container, states] of Object.entries(containers)) {
    const end = states.at(-1);
    const killed = end?.exitCode === 137 && end.reason === 'Error';
    const at = DELETED + Math.max(least, killed ? grace : 0) + 0.05;
    if (killed) {
      notes.push([at - 2, { kind: 'signal', container, signal: 'SIGTERM', why: 'stop', at: ns(at - 2) }]);
      notes.push([at, { kind: 'signal', container, signal: 'SIGKILL', why: 'deadline', at: ns(at) }]);
    }
    notes.push([at, { kind: 'exit', container, restartCount: 0, exitCode: end?.exitCode ?? 0, at: ns(at) }]);
  }
  return notes;
}

/** A stamp of the journal. */
export function ns(seconds: number): string {
  return String(BigInt(Math.round(seconds * 1e6)) * 1000n);
}
