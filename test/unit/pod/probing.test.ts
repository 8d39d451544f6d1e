import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { ProbeName } from '../../../src/manifest/pod.ts';
import type { ProbeOutcome } from '../../../src/pod/journal-entry.ts';
import { activeProbes, dueAt, firstProbes, isReady, isStarted, judged } from '../../../src/pod/probing.ts';
import type { ContainerRecord, ProbeState } from '../../../src/pod/record.ts';
import { type ContainerSketch, aContainer, aPod, aRecord, withContainer } from '../../support/pods.ts';
import { T, aProbe, at, exited, planned, running, starting, stopping, wish } from '../../support/records.ts';

const all = { startup: aProbe(), liveness: aProbe(), readiness: aProbe() };
const none = { startup: undefined, liveness: undefined, readiness: undefined };
const state = (verdict: ProbeState['verdict']): ProbeState => ({ verdict, last: undefined, run: 0, nextAt: undefined });

function container(changes: Partial<ContainerRecord>): ContainerRecord {
  const [only] = withContainer(aRecord(aPod()), changes).containers;
  if (only === undefined) throw new RangeError('no container');
  return only;
}

describe('at the beginning', () => {
  test('liveness has succeeded, readiness has failed, startup is not known', () => {
    const probes = firstProbes(aContainer({ probes: all }), T, T);
    expect(probes.liveness?.verdict).toBe('success');
    expect(probes.readiness?.verdict).toBe('failure');
    expect(probes.startup?.verdict).toBe('unknown');
  });

  test('there is nothing of a probe that the manifest does not have', () => {
    expect(firstProbes(aContainer(), T, T)).toEqual({});
  });

  test.each([
    ['a second after the start', 0, 0, 1],
    ['after its delay', 5, 0, 5],
    ['at once when postStart took longer than the delay', 5, 8, 8],
  ])('the first try comes %s', (_, initialDelaySeconds, now, expected) => {
    const probes = { ...none, liveness: aProbe({ initialDelaySeconds }) };
    expect(firstProbes(aContainer({ probes }), T, at(now)).liveness?.nextAt).toBe(at(expected));
  });

  test('a new owner keeps the delay, and nothing else', () => {
    const spec = aContainer({ probes: { ...none, liveness: aProbe({ initialDelaySeconds: 5 }) } });
    expect(dueAt(spec, container({ state: running, probes: { liveness: state('success') } }), 'liveness')).toBe(at(5));
  });
});

describe('which probes are tried', () => {
  const probes = { startup: state('unknown'), liveness: state('success'), readiness: state('failure') };
  const past = { ...probes, startup: state('success') };
  test.each<[string, Partial<ContainerRecord>, boolean, readonly ProbeName[]]>([
    ['none while postStart runs', { state: starting, probes }, false, []],
    ['only startup until that has succeeded', { state: running, probes }, false, ['startup']],
    ['the others then', { state: running, probes: past }, false, ['liveness', 'readiness']],
    ['only readiness while it is stopped', { state: stopping(), probes: past }, false, ['readiness']],
    ['none of one that was stopped before it had started', { state: stopping(), probes }, false, []],
    ['none of one that never ran', { state: stopping({ wasRunning: false }), probes: past }, false, []],
    ['only readiness at the end of the pod', { state: running, probes: past }, true, ['readiness']],
    ['none after its end', { state: exited(0), probes: past }, false, []],
  ])('%s', (_, changes, ending, expected) => {
    const record = aRecord(aPod(), ending ? { termination: wish() } : {});
    expect(activeProbes(record, container(changes))).toEqual(expected);
  });
});

describe('a verdict', () => {
  function after(outcomes: readonly ProbeOutcome[], failureThreshold: number, successThreshold: number): ProbeState {
    const probe = aProbe({ failureThreshold, successThreshold });
    return outcomes.reduce((before, outcome) => judged(probe, before, outcome, T), state('unknown'));
  }

  test.each<[string, readonly ProbeOutcome[], number, number, ProbeState['verdict']]>([
    ['of failure needs as many failures', ['failure', 'failure'], 3, 1, 'unknown'],
    ['of failure comes with the last of them', ['failure', 'failure', 'failure'], 3, 1, 'failure'],
    ['of failure needs them in a row', ['failure', 'failure', 'success', 'failure', 'failure'], 3, 1, 'success'],
    ['of success comes at once', ['success'], 3, 1, 'success'],
    ['of success may need several', ['failure', 'success'], 1, 2, 'failure'],
    ['of success comes with the last of them', ['failure', 'success', 'success'], 1, 2, 'success'],
    ['takes a warning for a success', ['failure', 'warning'], 1, 1, 'success'],
    ['is not changed by an error', ['failure', 'failure', 'error', 'failure'], 3, 1, 'failure'],
  ])('%s', (_, outcomes, failures, successes, expected) => {
    expect(after(outcomes, failures, successes).verdict).toBe(expected);
  });

  test('is that of the last run that was long enough', () => {
    fc.assert(
      fc.property(
        fc.array(fc.constantFrom<ProbeOutcome>('success', 'failure'), { maxLength: 30 }),
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 1, max: 4 }),
        (outcomes, failures, successes) => {
          let expected: ProbeState['verdict'] = 'unknown';
          outcomes.forEach((outcome, index) => {
            const need = outcome === 'failure' ? failures : successes;
            const run = outcomes.slice(Math.max(0, index + 1 - need), index + 1);
            if (run.length === need && run.every((one) => one === outcome)) expected = outcome as 'success' | 'failure';
          });
          expect(after(outcomes, failures, successes).verdict).toBe(expected);
        },
      ),
    );
  });

  test('a steady answer leaves the same record behind, so that nothing has to be written', () => {
    const probe = aProbe({ successThreshold: 2 });
    const steady = judged(probe, judged(probe, state('failure'), 'success', T), 'success', T);
    expect({ ...judged(probe, steady, 'success', at(1)), nextAt: 0n }).toEqual({ ...steady, nextAt: 0n });
  });
});

describe('the next try', () => {
  test.each([
    ['comes a period after the last was due', 1, 11],
    ['comes at once when the last took longer than a period', 25, 25],
  ])('%s', (_, now, expected) => {
    const due: ProbeState = { ...state('success'), nextAt: at(1) };
    expect(judged(aProbe(), due, 'success', at(now)).nextAt).toBe(at(expected));
  });

  test('is waited for, then made', () => {
    const sketch = { containers: [{ name: 'c', probes: { ...none, liveness: aProbe() } } satisfies ContainerSketch] };
    const states = [{ state: running, probes: { liveness: { ...state('success'), nextAt: at(4) } } }];
    expect(planned(sketch, states, {}, 3)).toEqual(['wake 4']);
    expect(planned(sketch, states, {}, 4)).toEqual(['probe c i liveness']);
  });
});

test.each<[string, ContainerRecord['probes'], boolean, boolean]>([
  ['without probes is started and ready', {}, true, true],
  ['is not started before its startup probe has succeeded', { startup: state('unknown') }, false, false],
  ['is ready when readiness has succeeded', { readiness: state('success') }, true, true],
  ['is not ready when it has failed', { readiness: state('failure') }, true, false],
  ['is not ready before it is started', { startup: state('unknown'), readiness: state('success') }, false, false],
  ['does not ask liveness', { liveness: state('failure') }, true, true],
])('a container that runs %s', (_, probes, started, ready) => {
  const one = container({ state: running, probes });
  expect([isStarted(one), isReady(one)]).toEqual([started, ready]);
});
