import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { SECOND, seconds } from '../../../src/base/clock.ts';
import { type Kind, type Property, of, plainScript, requestsOf, slack } from '../../support/lives.ts';
import { simulate } from '../../support/simulator.ts';

const properties: readonly Property[] = [
  {
    what: 'a hook runs at most once per instance',
    holds: (outcome) => {
      const runs = of(outcome, 'hook').map(({ id, hook: name }) => `${id} ${name}`);
      expect(new Set(runs).size).toBe(runs.length);
    },
  },
  {
    what: 'preStop never runs for a container that ended by itself',
    holds: (outcome, input) => {
      for (const run of of(outcome, 'hook').filter((one) => one.hook === 'preStop')) {
        const death = of(outcome, 'dead').find((one) => one.id === run.id);
        const stop = outcome.happenings.findLastIndex(
          (one) =>
            one.kind === 'note' &&
            one.note.kind === 'event' &&
            one.note.reason === 'Killing' &&
            one.note.container === run.name &&
            one.at <= run.at,
        );
        expect(stop).toBeGreaterThanOrEqual(0);
        const told = outcome.happenings[stop]?.at ?? 0n;
        // An exit that has not been told yet cannot be known.
        expect(death === undefined || !death.own || death.at + slack(input, 1) >= told).toBe(true);
      }
    },
  },
  {
    what: 'the stop signal waits for preStop while there is time',
    holds: (outcome, { pod }) => {
      for (const signal of of(outcome, 'signal')) {
        const run = of(outcome, 'hook').find((one) => one.id === signal.id && one.hook === 'preStop');
        const over = of(outcome, 'hookOver').find((one) => one.id === signal.id && one.hook === 'preStop');
        if (run === undefined || (over !== undefined && over.at <= signal.at)) continue;
        const asked = requestsOf(outcome).filter((one) => one.at <= signal.at);
        const ends = asked.map(
          (one) => one.at + seconds(Math.max(1, one.request.grace ?? pod.terminationGracePeriodSeconds)),
        );
        const own = run.at + seconds(pod.terminationGracePeriodSeconds - 1);
        expect([own, ...ends].some((end) => end <= signal.at)).toBe(true);
      }
    },
  },
  {
    what: 'SIGKILL comes at least two seconds after the stop signal, unless it is wanted now',
    holds: (outcome) => {
      const now = requestsOf(outcome).some((one) => one.request.now);
      for (const signal of now ? [] : of(outcome, 'signal')) {
        expect(signal.killAt).toBeGreaterThanOrEqual(signal.at + 2n * SECOND);
        const death = of(outcome, 'dead').find((one) => one.id === signal.id);
        if (death?.code === 137) expect(death.at).toBeGreaterThanOrEqual(signal.at + 2n * SECOND);
      }
    },
  },
  {
    what: 'everything is dead two seconds after the grace period at the latest, rounding apart',
    holds: (outcome, input) => {
      const [first, ...later] = requestsOf(outcome);
      if (first === undefined) return;
      const period = (one: Kind<'request'>): number =>
        Math.max(1, one.request.grace ?? input.pod.terminationGracePeriodSeconds);
      const ends = [first, ...later.filter((one) => one.request.grace !== undefined)];
      const latest = ends.map((one) => one.at + seconds(period(one) + 2)).reduce((a, b) => (a < b ? a : b));
      const rounding = 2n * SECOND;
      for (const { at } of of(outcome, 'dead').filter((one) => one.at > first.at)) {
        expect(at).toBeLessThanOrEqual(latest + rounding + slack(input, 6));
      }
    },
  },
  {
    what: 'a wish for now is carried out now',
    holds: (outcome, input) => {
      const now = requestsOf(outcome).find((one) => one.request.now);
      if (now === undefined) return;
      for (const { at } of of(outcome, 'dead').filter((one) => one.at > now.at)) {
        expect(at).toBeLessThanOrEqual(now.at + slack(input, 4));
      }
    },
  },
  {
    what: 'the pod reaches its end, and then nothing more is planned',
    holds: ({ record, lastPlan }) => {
      expect(record.ended).toBeDefined();
      expect(lastPlan).toEqual({ events: [], actions: [], wakeAt: undefined });
      expect(record.containers.map((one) => one.state.phase)).toEqual(record.containers.map(() => 'exited'));
      expect(record.sandbox.phase === 'ready' || record.sandbox.phase === 'failed').toBe(false);
    },
  },
  {
    what: 'nothing is begun after the pod was asked to end',
    holds: (outcome, { crashes }) => {
      const first = outcome.happenings.findIndex((one) => one.kind === 'request');
      const after = outcome.happenings.slice(first < 0 ? Infinity : first);
      const asked = after.filter((one) => one.kind === 'asked').map((one) => one.action.kind);
      // A new owner asks again for what was half made, to sweep it.
      const begun = asked.filter((one) => one === 'start' || one === 'sandbox');
      expect(crashes.length > 0 ? [] : begun).toEqual([]);
      expect(after.filter((one) => one.kind === 'born')).toEqual([]);
    },
  },
  {
    what: 'containers start one after another',
    holds: (outcome) => {
      const { happenings } = outcome;
      const creates = of(outcome, 'create');
      for (const [index, { id }] of creates.entries()) {
        const from = happenings.findIndex((one) => one.kind === 'create' && one.id === id);
        const to = happenings.findIndex((one) => one.kind === 'create' && one.id === creates[index + 1]?.id);
        if (to < 0) break;
        const between = happenings.slice(from, to).filter((one) => 'id' in one && one.id === id);
        const hooked = between.some((one) => one.kind === 'hook' && one.hook === 'postStart');
        const hookOk = between.some((one) => one.kind === 'hookOver' && one.hook === 'postStart' && one.ok);
        const runs = between.some((one) => one.kind === 'born') && (!hooked || hookOk);
        const dead = between.some((one) => one.kind === 'dead');
        const neverMade = !happenings.some((one) => (one.kind === 'born' || one.kind === 'dead') && one.id === id);
        expect(runs || dead || neverMade).toBe(true);
      }
    },
  },
  {
    what: 'the end is Succeeded exactly when every container’s last instance ended with 0',
    holds: (outcome, { pod }) => {
      const codes = pod.containers.map(({ name }) => of(outcome, 'dead').findLast((one) => one.name === name)?.code);
      const expected = codes.every((one) => one === 0) ? 'Succeeded' : 'Failed';
      expect(outcome.record.ended?.phase).toBe(expected);
    },
  },
  {
    what: 'the record keeps the code of the last instance and of the one before, and how many there were',
    holds: (outcome) => {
      for (const { name, state, last, restartCount } of outcome.record.containers) {
        const deaths = of(outcome, 'dead').filter((one) => one.name === name);
        if (deaths.length === 0 || state.phase !== 'exited') continue;
        expect(state.terminated.exitCode).toBe(deaths.at(-1)?.code);
        expect(state.terminated.containerId).toBe(deaths.at(-1)?.id);
        const retried = last?.containerId === state.terminated.containerId;
        if (!retried) {
          expect(last?.exitCode).toBe(deaths.at(-2)?.code);
          expect(restartCount).toBe(deaths.length - 1);
        }
      }
    },
  },
  {
    what: 'what the restart policy leaves alone is not started again',
    holds: (outcome, { pod }) => {
      for (const { name } of pod.containers) {
        const deaths = of(outcome, 'dead').filter((one) => one.name === name);
        for (const before of deaths.slice(0, -1)) {
          expect(pod.restartPolicy === 'Always' || (pod.restartPolicy === 'OnFailure' && before.code !== 0)).toBe(true);
        }
      }
    },
  },
  {
    what: 'the network and namespaces go last',
    holds: (outcome) => {
      const gone = outcome.happenings.findIndex((one) => one.kind === 'teardown');
      if (gone < 0) return;
      const after = outcome.happenings.slice(gone);
      expect(after.filter((one) => ['create', 'born', 'dead', 'hook', 'signal'].includes(one.kind))).toEqual([]);
    },
  },
];

describe('in every life of a pod', () => {
  test.each(properties.map((property) => [property.what, property] as const))('%s', (_, property) => {
    fc.assert(
      fc.property(plainScript, (input) => {
        property.holds(simulate(input), input);
      }),
      { numRuns: 300 },
    );
  });

  test('a record that went through its file changes nothing', () => {
    fc.assert(
      fc.property(plainScript, (input) => {
        const plain = simulate(input);
        const reloaded = simulate({ ...input, reload: true });
        expect(reloaded.happenings).toEqual(plain.happenings);
        expect(reloaded.record).toEqual(plain.record);
      }),
      { numRuns: 100 },
    );
  });
});
