import { describe, expect, test } from 'vitest';
import type { JournalEntry, Note } from '../../../src/pod/journal-entry.ts';
import { compare } from '../../conformance/compare.ts';
import { expectationOf } from '../../conformance/deliberate.ts';
import type { EntryOf, Observed } from '../../conformance/observed.ts';
import { recordingOf, recordings } from '../../conformance/recording.ts';
import { DELETED, goodRun, ns } from './good-run.ts';

function changed<K extends JournalEntry['kind']>(
  run: Observed,
  kind: K,
  change: (entry: EntryOf<K>, index: number) => JournalEntry | undefined,
): Observed {
  let index = 0;
  const entries = run.entries.flatMap((entry) => {
    if (entry.kind !== kind) return [entry];
    const next = change(entry as EntryOf<K>, index++);
    return next === undefined ? [] : [next];
  });
  return { ...run, entries };
}

const all = recordings().map((recording) => [recording.name, recording] as const);

test.each(all)('a run that did what was recorded agrees with %s', (_, recording) => {
  expect(compare(recording, goodRun(recording))).toEqual([]);
});

describe('is reported:', () => {
  test.each(all)('any event of %s that is missing', (_, recording) => {
    const run = goodRun(recording);
    const reasons = new Set(expectationOf(recording).events.map((one) => `${one.container} ${one.reason}`));
    for (const gone of reasons) {
      const without = changed(run, 'event', (one) =>
        `${one.container ?? ''} ${one.reason}` === gone ? undefined : one,
      );
      expect(compare(recording, without)).not.toEqual([]);
    }
  });

  test.each(all)('any two events of a container of %s in the other order', (_, recording) => {
    const run = goodRun(recording);
    const events = run.entries.filter((one) => one.kind === 'event');
    for (const [index, one] of events.entries()) {
      const next = events[index + 1];
      if (next === undefined || next.container !== one.container || next.reason === one.reason) continue;
      // Within a second these may overtake each other.
      if ([one, next].some(({ reason }) => reason === 'Unhealthy')) continue;
      const earlier = events.slice(0, index);
      if (
        [one, next].some((new_) =>
          earlier.some((old) => old.reason === new_.reason && old.container === new_.container),
        )
      ) {
        continue;
      }
      const swapped = changed(run, 'event', (entry, at) => (at === index ? next : at === index + 1 ? one : entry));
      expect(compare(recording, swapped).join()).toContain('events of');
    }
  });

  test.each(all)('any other exit code in %s', (_, recording) => {
    const run = goodRun(recording);
    const codes = run.entries.filter((one) => one.kind === 'state' && one.exitCode !== undefined);
    for (const code of codes) {
      const other = changed(run, 'state', (one) =>
        one === code ? { ...one, exitCode: (one.exitCode ?? 0) + 1 } : one,
      );
      expect(compare(recording, other).join()).toContain('container');
    }
  });

  test.each(all)('a state of %s that never came', (_, recording) => {
    const run = goodRun(recording);
    const states = run.entries.filter((one) => one.kind === 'state');
    for (const state of states) {
      const { t: _t, seq: _s, ...same } = state;
      const twice = states.filter(({ t: _t2, seq: _s2, ...other }) => JSON.stringify(other) === JSON.stringify(same));
      if (twice.length > 1) continue;
      expect(
        compare(
          recording,
          changed(run, 'state', (one) => (one === state ? undefined : one)),
        ),
      ).not.toEqual([]);
    }
  });

  const timed = all.filter(([, recording]) => expectationOf(recording).deleteSeconds !== undefined);

  test.each(timed)('a late end of %s', (_, recording) => {
    const most = expectationOf(recording).deleteSeconds?.[1] ?? 0;
    const late = changed(goodRun(recording), 'exit', (one) => ({ ...one, at: ns(DELETED + most + 0.31) }));
    expect(compare(recording, late).join()).toContain('later than');
  });

  test.each(timed.filter(([, recording]) => (expectationOf(recording).deleteSeconds?.[0] ?? 0) > 0))(
    'an early end of %s',
    (_, recording) => {
      const least = expectationOf(recording).deleteSeconds?.[0] ?? 0;
      const early = changed(goodRun(recording), 'exit', (one) => ({ ...one, at: ns(DELETED + least - 0.01) }));
      expect(compare(recording, early).join()).toContain(`before ${least} s`);
    },
  );

  test.each([
    ['SIGKILL before the grace period is over', 'deaf-grace-3', 2.9, 0.1, 'within the 3 s'],
    [
      'SIGKILL less than two seconds after the stop signal',
      'prestop-exceeds-grace-deaf',
      6.1,
      4.6,
      'after the stop signal',
    ],
    ['SIGKILL on the stop signal', 'grace-zero-spec', 3.1, 3.1, 'after the stop signal'],
  ])('%s', (_, name, killed, stopped, expected) => {
    const recording = recordingOf(name);
    const run = goodRun(recording);
    const signals: Note[] = [
      { kind: 'signal', container: 'c', signal: 'SIGTERM', why: 'stop', at: ns(DELETED + stopped) },
      { kind: 'signal', container: 'c', signal: 'SIGKILL', why: 'deadline', at: ns(DELETED + killed) },
    ];
    const entries = [
      ...run.entries.filter((one) => one.kind !== 'signal'),
      ...signals.map((note, index) => ({ seq: 900 + index, t: ns(DELETED), wall: '', ...note })),
    ];
    expect(compare(recording, { ...run, entries }).join()).toContain(expected);
  });

  test.each<[string, string, (run: Observed) => Observed, string]>([
    [
      'SIGKILL without a stop signal',
      'deaf-grace-3',
      (run) => changed(run, 'signal', (one) => (one.signal === 'SIGTERM' ? undefined : one)),
      'without a stop signal',
    ],
    [
      'another final phase',
      'exit-3-never',
      (run) => ({ ...run, object: { status: { ...run.object.status, phase: 'Succeeded' } } }),
      'final phase: Succeeded, not Failed',
    ],
    [
      'a phase that never came',
      'exit-3-never',
      (run) => changed(run, 'phase', (one) => (one.phase === 'Running' ? undefined : one)),
      'phases: Pending > Failed',
    ],
    [
      'readiness that was never there on the node',
      'poststart-exec-fail-never',
      (run) => changed(run, 'phase', (one, at) => (at === 0 ? { ...one, ready: true } : one)),
      'it never was on the node',
    ],
    [
      'running before postStart was over',
      'poststart-exec-fail-never',
      (run) => changed(run, 'state', (one, at) => (at === 0 ? { ...one, state: 'running' } : one)),
      'running',
    ],
    [
      'running while the deadline waits for postStart',
      'poststart-hang-delete',
      (run) => changed(run, 'state', (one, at) => (at === 0 ? { ...one, state: 'running' } : one)),
      'running',
    ],
    [
      'a waiting reason of its own',
      'exit-3-never',
      (run) => changed(run, 'state', (one, at) => (at === 0 ? { ...one, reason: 'Thinking' } : one)),
      'Thinking #0, which the node never showed',
    ],
    [
      'one restart more',
      'exit-1-onfailure',
      (run) => changed(run, 'state', (one) => ({ ...one, restartCount: one.restartCount + 1 })),
      '3 restarts at the end, not 2',
    ],
    [
      'another termination message',
      'termination-message-file',
      (run) => changed(run, 'state', (one) => (one.exitCode === 4 ? { ...one, message: 'goodbye!' } : one)),
      'goodbye!',
    ],
    [
      'another event text',
      'poststart-exec-fail-never',
      (run) => changed(run, 'event', (one) => (one.reason === 'Killing' ? { ...one, message: 'Stopping' } : one)),
      'event Killing: Stopping, not FailedPostStartHook',
    ],
    [
      'an event too many',
      'exit-3-never',
      (run) => ({
        ...run,
        entries: [
          ...run.entries,
          { seq: 99, t: '0', wall: '', kind: 'event', type: 'Warning', reason: 'Odd', message: '', container: 'c' },
        ],
      }),
      'Warning Odd',
    ],
    [
      'an event twice where it came once',
      'deaf-grace-3',
      (run) => ({ ...run, entries: [...run.entries, ...run.entries.filter((one) => one.kind === 'event')] }),
      '2 times, not 1',
    ],
    ['another log', 'log-partial-lines', (run) => ({ ...run, logs: { c: 'no newline\nerr\ntail\n' } }), 'log of c'],
    [
      'another exit code of an exec',
      'exec-exit-code',
      (run) => ({ ...run, execs: run.execs.map((one) => ({ ...one, exit: 1 })) }),
      'exit 1, not 42',
    ],
    [
      'other output of an exec',
      'exec-exit-code',
      (run) => ({ ...run, execs: run.execs.map((one) => ({ ...one, stdout: '' })) }),
      'stdout "", not "out\\n"',
    ],
    ['an exec that was not run', 'exec-exit-code', (run) => ({ ...run, execs: [] }), 'execs: 0, not 2'],
    [
      'another reason of the pod',
      'active-deadline',
      (run) => ({ ...run, object: { status: { ...run.object.status, reason: 'Tired' } } }),
      'reason: Tired, not DeadlineExceeded',
    ],
    [
      'another class of service',
      'exit-3-never',
      (run) => ({ ...run, object: { status: { ...run.object.status, qosClass: 'Burstable' } } }),
      'qosClass: Burstable, not BestEffort',
    ],
  ])('%s', (_, name, change, expected) => {
    const recording = recordingOf(name);
    expect(compare(recording, change(goodRun(recording))).join('; ')).toContain(expected);
  });
});

describe('is not reported:', () => {
  test.each<[string, string, (run: Observed) => Observed]>([
    [
      'what minirt says after the kubelet’s text',
      'prestop-exec-fail',
      (run) => changed(run, 'event', (one) => ({ ...one, message: `${one.message}: bad` })),
    ],
    [
      'a back-off that the node was too slow to show',
      'exit-1-always-backoff',
      (run) => {
        const last = run.entries.findLast((one) => one.kind === 'state');
        if (last?.kind !== 'state') return run;
        const between: JournalEntry = {
          ...last,
          state: 'waiting',
          reason: 'CrashLoopBackOff',
          message: 'back-off 40s',
        };
        return { ...run, entries: run.entries.flatMap((one) => (one === last ? [between, last] : [one])) };
      },
    ],
    [
      'the runtime’s own words around its exec error',
      'entrypoint-notfound-never',
      (run) =>
        changed(run, 'state', (one) =>
          one.message === undefined ? one : { ...one, message: one.message.replace(/^.*exec:/, 'cannot run: exec:') },
        ),
    ],
    [
      'one back-off event less after a fixed sleep',
      'exit-1-always-backoff',
      (run) => {
        const last = run.entries.findLast((one) => one.kind === 'event');
        return { ...run, entries: run.entries.filter((one) => one !== last) };
      },
    ],
    [
      'a uid instead of its blank',
      'exit-1-onfailure',
      (run) =>
        changed(run, 'state', (one) => ({
          ...one,
          ...(one.message === undefined
            ? {}
            : { message: one.message.replace('<uid>', '6f1c2d34-0000-4000-8000-000000000001') }),
        })),
    ],
  ])('%s', (_, name, change) => {
    const recording = recordingOf(name);
    expect(compare(recording, change(goodRun(recording)))).toEqual([]);
  });
});
