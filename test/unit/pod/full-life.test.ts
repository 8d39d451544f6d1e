import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SECOND, seconds } from '../../../src/base/clock.ts';
import type { Container, Pod } from '../../../src/manifest/pod.ts';
import { RESTART_ALL_REMARK } from '../../../src/pod/step.ts';
import { type Kind, type Property, fullScript, of, requestsOf, slack } from '../../support/lives.ts';
import type { Happening, Outcome, Script } from '../../support/script.ts';
import { simulate } from '../../support/simulator.ts';

/** Lives; MINIRT_TEST_LIVES asks for more. */
const RUNS = Number(process.env['MINIRT_TEST_LIVES'] ?? 10_000);

function specOf(pod: Pod, name: string): Container {
  const spec = pod.containers.find((one) => one.name === name);
  if (spec === undefined) throw new RangeError(`no container ${name}`);
  return spec;
}

/** When the pod was asked to end, by somebody or by its deadline. */
function endAsked(outcome: Outcome): bigint | undefined {
  return of(outcome, 'note').find(({ note }) => note.kind === 'terminate')?.at;
}

function allRestarted(outcome: Outcome): boolean {
  return of(outcome, 'note').some(({ note }) => note.kind === 'note' && note.text === RESTART_ALL_REMARK);
}

function death(outcome: Outcome, id: string): Kind<'dead'> | undefined {
  return of(outcome, 'dead').find((one) => one.id === id);
}

function eventOf(one: Happening, reason: string, container: string): boolean {
  return (
    one.kind === 'note' && one.note.kind === 'event' && one.note.reason === reason && one.note.container === container
  );
}

const properties: readonly Property[] = [
  {
    what: 'no main container begins before every init container has succeeded',
    holds: (outcome, { pod }) => {
      if (allRestarted(outcome)) return;
      const first = of(outcome, 'create').find(({ name }) => specOf(pod, name).role === 'main');
      if (first === undefined) return;
      for (const { name } of pod.containers.filter(({ role }) => role === 'init')) {
        const ends = of(outcome, 'dead').filter((one) => one.name === name && one.at <= first.at);
        expect(ends.at(-1)?.code, `${name} before ${first.name}`).toBe(0);
        expect(of(outcome, 'create').some((one) => one.name === name && one.at > first.at)).toBe(false);
      }
    },
  },
  {
    what: 'a sidecar has begun, its postStart included, before what comes after it begins for the first time',
    holds: (outcome, { pod }) => {
      if (allRestarted(outcome)) return;
      pod.containers.forEach((sidecar, index) => {
        const next = pod.containers[index + 1];
        if (sidecar.role !== 'sidecar' || next === undefined) return;
        const begun = of(outcome, 'create').find(({ name }) => name === next.name);
        if (begun === undefined) return;
        const born = of(outcome, 'born').filter((one) => one.name === sidecar.name && one.at <= begun.at);
        expect(born.length).toBeGreaterThan(0);
        if (sidecar.postStart === undefined) return;
        const ready = of(outcome, 'hookOver').some(
          (one) => one.name === sidecar.name && one.hook === 'postStart' && one.ok && one.at <= begun.at,
        );
        expect(ready).toBe(true);
      });
    },
  },
  {
    what: 'sidecars get their signal after all that come after them, unless the grace period is over',
    holds: (outcome, input) => {
      const asked = endAsked(outcome);
      if (asked === undefined || input.crashes.length > 0) return;
      // A later wish shortens the wait, also one of the same moment.
      const wishes = requestsOf(outcome).filter(({ at }) => at >= asked);
      if (wishes.length > (wishes[0]?.at === asked ? 1 : 0)) return;
      const grace = of(outcome, 'note').flatMap(({ note }) => (note.kind === 'terminate' ? [note.grace] : []))[0] ?? 0;
      for (const signal of of(outcome, 'signal').filter(({ at }) => at > asked + slack(input, 3))) {
        const index = input.pod.containers.findIndex(({ name }) => name === signal.name);
        if (input.pod.containers[index]?.role !== 'sidecar') continue;
        const told = outcome.happenings.slice(0, outcome.happenings.indexOf(signal));
        const began = told.findLast((one) => eventOf(one, 'Killing', signal.name));
        // A stop that had begun before counts from there.
        if (began === undefined || began.at < asked) continue;
        if (signal.at >= asked + seconds(grace - 1) - slack(input, 4)) continue;
        for (const { name, role } of input.pod.containers.slice(index + 1)) {
          const last = of(outcome, 'born').findLast((one) => one.name === name && one.at <= signal.at);
          if (role === 'init' || last === undefined) continue;
          const end = death(outcome, last.id);
          expect(end !== undefined && end.at <= signal.at, `${name} before ${signal.name}`).toBe(true);
        }
      }
    },
  },
  {
    what: 'no probe is tried before postStart is over, none but startup before that has succeeded',
    holds: (outcome, { pod }) => {
      for (const one of of(outcome, 'probe')) {
        const spec = specOf(pod, one.name);
        if (spec.postStart !== undefined) {
          const over = of(outcome, 'hookOver').find((run) => run.id === one.id && run.hook === 'postStart');
          expect(over !== undefined && over.at <= one.at).toBe(true);
        }
        if (one.probe === 'startup' || spec.probes.startup === undefined) continue;
        const tries = of(outcome, 'probe').filter((run) => run.id === one.id && run.at <= one.at);
        const first = tries.find((run) => run.probe === 'startup');
        expect(first).toBeDefined();
        const after = outcome.happenings.indexOf(one);
        const later = outcome.happenings.slice(after + 1);
        expect(later.some((run) => run.kind === 'probe' && run.id === one.id && run.probe === 'startup')).toBe(false);
      }
    },
  },
  {
    what: 'no probe is tried before its delay, nor sooner after the one before than its period allows',
    holds: (outcome, { pod, crashes }) => {
      for (const born of of(outcome, 'born')) {
        for (const name of ['startup', 'liveness', 'readiness'] as const) {
          const probe = specOf(pod, born.name).probes[name];
          const tries = of(outcome, 'probe').filter((one) => one.id === born.id && one.probe === name);
          if (probe === undefined) {
            expect(tries).toEqual([]);
            continue;
          }
          const [first] = tries;
          if (first === undefined) continue;
          expect(first.at).toBeGreaterThanOrEqual(born.at + seconds(Math.max(1, probe.initialDelaySeconds)));
          if (crashes.length > 0) continue;
          const span = (tries.at(-1)?.at ?? first.at) - first.at;
          // A ticker keeps one tick for a slow receiver: never more tries than ticks.
          expect(tries.length - 1).toBeLessThanOrEqual(Number(span / seconds(probe.periodSeconds)) + 1);
        }
      }
    },
  },
  {
    what: 'a container is never killed for a probe that it does not have, and never during its pod’s end',
    holds: (outcome, { pod }) => {
      const asked = endAsked(outcome);
      for (const { note, at } of of(outcome, 'note')) {
        if (note.kind !== 'event' || note.reason !== 'Killing') continue;
        const probe = /failed (startup|liveness) probe/.exec(note.message)?.[1] as 'startup' | 'liveness' | undefined;
        if (probe === undefined) continue;
        expect(specOf(pod, note.container ?? '').probes[probe]).toBeDefined();
        expect(asked === undefined || at <= asked).toBe(true);
      }
    },
  },
  {
    what: 'preStop runs at most once per instance, and only after a stop was told',
    holds: (outcome) => {
      const runs = of(outcome, 'hook').filter((one) => one.hook === 'preStop');
      expect(new Set(runs.map(({ id }) => id)).size).toBe(runs.length);
      for (const run of runs) {
        const until = outcome.happenings.slice(0, outcome.happenings.indexOf(run));
        expect(until.some((one) => eventOf(one, 'Killing', run.name))).toBe(true);
      }
    },
  },
  {
    what: 'SIGKILL leaves two seconds after the signal',
    holds: (outcome) => {
      if (requestsOf(outcome).some((one) => one.request.now)) return;
      for (const signal of of(outcome, 'signal')) {
        expect(signal.killAt).toBeGreaterThanOrEqual(signal.at + 2n * SECOND);
        const end = death(outcome, signal.id);
        if (end?.code === 137) expect(end.at).toBeGreaterThanOrEqual(signal.at + 2n * SECOND);
      }
    },
  },
  {
    what: 'nothing outlives the deadline by more than the grace period allows',
    holds: (outcome, input) => {
      const asked = endAsked(outcome);
      if (asked === undefined || requestsOf(outcome).some(({ at }) => at <= asked)) return;
      const latest = asked + seconds(input.pod.terminationGracePeriodSeconds + 4) + slack(input, 6);
      for (const { at } of of(outcome, 'dead').filter((one) => one.at > asked)) {
        expect(at).toBeLessThanOrEqual(latest);
      }
      if (outcome.record.termination?.cause === 'deadline') expect(outcome.record.ended?.phase).toBe('Failed');
    },
  },
  {
    what: 'nothing is started once the pod was asked to end',
    holds: (outcome) => {
      const asked = outcome.happenings.findIndex((one) => one.kind === 'note' && one.note.kind === 'terminate');
      if (asked < 0) return;
      expect(outcome.happenings.slice(asked).filter((one) => one.kind === 'born')).toEqual([]);
    },
  },
  {
    what: 'restarts are never sooner than the back-off says',
    holds: (outcome, { pod, crashes }) => {
      if (crashes.length > 0 || allRestarted(outcome)) return;
      for (const { name } of pod.containers) waitsGrow(outcome, name);
    },
  },
  {
    what: 'the pod ends, in the phase that its main containers say',
    holds: (outcome, { pod }) => {
      const { record, lastPlan } = outcome;
      expect(record.ended).toBeDefined();
      expect(lastPlan).toEqual({ events: [], actions: [], wakeAt: undefined });
      const mains = record.containers.filter((_, index) => pod.containers[index]?.role === 'main');
      const good = mains.every(({ state }) => state.phase === 'exited' && state.terminated.exitCode === 0);
      const overdue = record.termination?.cause === 'deadline';
      expect(record.ended?.phase).toBe(good && !overdue ? 'Succeeded' : 'Failed');
    },
  },
];

/** Ends that a probe caused have a rule of their own for the first restart. */
function waitsGrow(outcome: Outcome, name: string): void {
  const deaths = of(outcome, 'dead').filter((one) => one.name === name);
  const probed = outcome.happenings.some(
    (one) => eventOf(one, 'Killing', name) && one.kind === 'note' && JSON.stringify(one.note).includes('probe'),
  );
  if (probed) return;
  let delay = 0;
  deaths.forEach((dead, index) => {
    const after = outcome.happenings.slice(outcome.happenings.indexOf(dead));
    const again = after.find((one) => one.kind === 'create' && one.name === name);
    const born = of(outcome, 'born').find((one) => one.id === dead.id);
    const before = deaths[index - 1];
    const longLife = before !== undefined && born !== undefined && dead.at - born.at > seconds(590);
    if (longLife) delay = 0;
    if (again === undefined) return;
    expect(again.at).toBeGreaterThanOrEqual(dead.at + seconds(delay));
    delay = delay === 0 ? 10 : Math.min(delay * 2, 300);
  });
}

/** A failing life, to be read. */
function story({ happenings }: Outcome): string {
  return happenings
    .map(
      ({ at, ...what }) =>
        `${Number(at - 1_000_000_000_000n) / 1e9} ${JSON.stringify(what, (_, value: unknown) => (typeof value === 'bigint' ? String(value) : value))}`,
    )
    .join('\n');
}

describe('a pod with init containers, sidecars, probes and rules', () => {
  test(`keeps every law in ${RUNS} random lives`, { timeout: 600_000 }, () => {
    fc.assert(
      fc.property(fullScript, (input: Script) => {
        const outcome = simulate(input);
        for (const { what, holds } of properties) {
          try {
            holds(outcome, input);
          } catch (error) {
            throw new Error(`not so: ${what}\n${story(outcome)}`, { cause: error });
          }
        }
      }),
      { numRuns: RUNS },
    );
  });
});
