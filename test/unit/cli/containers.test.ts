import { describe, expect, test } from 'vitest';
import { chooseContainer } from '../../../src/cli/containers.ts';
import { logInstance } from '../../../src/cli/log/instance.ts';
import type { Pod } from '../../../src/manifest/pod.ts';
import { refuseCompleted } from '../../../src/pod/exec.ts';
import type { PodRecord } from '../../../src/pod/record.ts';
import { podObject } from '../../../src/pod/status.ts';
import type { PodView } from '../../../src/pod/view.ts';
import { type ContainerSketch, aPod, aRecord } from '../../support/pods.ts';
import { ended, exited, running } from '../../support/records.ts';

const containers: ContainerSketch[] = [
  { name: 'i1', role: 'init' },
  { name: 's', role: 'sidecar' },
  { name: 'a' },
  { name: 'b' },
];

function viewOf(pod: Pod, change: (record: PodRecord) => PodRecord = (record) => record): PodView {
  const record = change(aRecord(pod));
  return { name: pod.name, pod, record, object: podObject(pod, record) } as unknown as PodView;
}

/** The container that was chosen, and what was said about it. */
function chosen(pod: Pod, given?: string): string[] {
  const notes: string[] = [];
  return [chooseContainer(viewOf(pod), given, (line) => notes.push(line)), ...notes];
}

describe('the container that is meant', () => {
  const pod = aPod({ containers });
  const annotated = (name: string): Pod => ({
    ...pod,
    annotations: { 'kubectl.kubernetes.io/default-container': name },
  });
  test.each<[what: string, result: string[], expected: string[]]>([
    [
      'is the first main one, which is said',
      chosen(pod),
      ['a', 'Defaulted container "a" out of: a, b, i1 (init), s (init)'],
    ],
    ['is the one the pod names, and nothing is said', chosen(annotated('b')), ['b']],
    ['may be an init container', chosen(annotated('i1')), ['i1']],
    [
      'is the first main one if the pod names none that there is',
      chosen(annotated('x')),
      ['a', 'Defaulted container "a" out of: a, b, i1 (init), s (init)'],
    ],
    ['is the only one, and nothing is said', chosen(aPod()), ['c']],
    ['is the one that was named', chosen(pod, 's'), ['s']],
  ])('%s', (_what, result, expected) => {
    expect(result).toEqual(expected);
  });

  test('must be there', () => {
    expect(() => chosen(pod, 'nope')).toThrow(
      expect.objectContaining({
        code: 'container.not-found',
        message: 'container nope is not valid for pod p out of: a, b, i1 (init), s (init)',
      }),
    );
  });
});

describe('the log of an init container', () => {
  const pod = aPod({ containers: containers.slice(0, 3) });
  const withStates = (...states: PodRecord['containers'][number]['state'][]): PodView =>
    viewOf(pod, (record) => ({
      ...record,
      containers: record.containers.map((one, i) => ({ ...one, state: states[i] ?? one.state })),
    }));

  test('is there while it runs, and once it is done', () => {
    expect(logInstance(withStates(running), 'i1', false)).toBe(0);
    expect(logInstance(withStates(exited(0), running), 'i1', false)).toBe(0);
    expect(logInstance(withStates(exited(0), running), 's', false)).toBe(0);
  });

  test('is not there before', () => {
    expect(() => logInstance(withStates(running), 'a', false)).toThrow(
      'container "a" in pod "p" is waiting to start: PodInitializing',
    );
    expect(() => logInstance(withStates(running), 'i1', true)).toThrow(
      'previous terminated container "i1" in pod "p" not found',
    );
  });

  test('of the run before', () => {
    const view = viewOf(pod, (record) => ({
      ...record,
      containers: record.containers.map((one, i) =>
        i === 0 ? { ...one, restartCount: 2, state: running, last: ended(1) } : one,
      ),
    }));
    expect(logInstance(view, 'i1', true)).toBe(1);
  });
});

test.each(['Succeeded', 'Failed'] as const)('nothing is run in a pod that has %s', (phase) => {
  const view = viewOf(aPod(), (record) => ({ ...record, ended: { phase, wall: '' } }));
  expect(() => {
    refuseCompleted(view);
  }).toThrow(`cannot exec into a container in a completed pod; current phase is ${phase}`);
});
