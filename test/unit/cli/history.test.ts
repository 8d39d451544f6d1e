import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { History } from '../../../src/cli/history.ts';
import type { V1Pod } from '../../../src/manifest/pod.ts';
import type { PodView } from '../../../src/pod/view.ts';
import { type Moment, journalOf, state, terminate } from './story.ts';

const object: V1Pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'web', namespace: 'default', deletionTimestamp: '2026-11-22T23:00:00Z' },
  spec: { containers: [{ name: 'c', image: 'nginx' }] },
  status: { phase: 'Succeeded', conditions: [{ type: 'Ready', status: 'False', reason: 'PodCompleted' }] },
};
const view = { object, pod: { containers: [{ name: 'c', image: 'nginx', role: 'main' }] } } as unknown as PodView;

const phase = (text: string, ready: boolean) => ({ kind: 'phase', phase: text, ready }) as const;
const started = {
  kind: 'event',
  type: 'Normal',
  reason: 'Started',
  message: 'Container started',
  container: 'c',
} as const;

/** What a watcher is shown of a story. */
function shown(moments: readonly Moment[]): string[] {
  const history = new History(view);
  const out: string[] = [];
  const show = (): void => {
    const { metadata, status } = history.show();
    const [one] = status?.containerStatuses ?? [];
    const { waiting, running, terminated } = one?.state ?? {};
    const what = waiting?.reason ?? (running === undefined ? `${terminated?.reason} ${terminated?.exitCode}` : 'runs');
    const going = metadata?.deletionTimestamp === undefined ? '' : ' deleted';
    const ready = status?.conditions?.find(({ type }) => type === 'Ready')?.status === 'True' ? 'ready ' : '';
    out.push(`${ready}${status?.phase} ${what} ${one?.restartCount}${one?.ready === true ? ' up' : ''}${going}`);
  };
  for (const entry of journalOf(moments)) {
    if (history.endsBefore(entry)) show();
    history.apply(entry);
  }
  if (history.held) show();
  return out;
}

describe('a watcher', () => {
  test('sees every state of a life, each once, and nothing half-way', () => {
    expect(
      shown([
        [0, state('waiting', { reason: 'ContainerCreating' })],
        [0, phase('Pending', false)],
        [1, started],
        [1.0001, state('running')],
        [1.0002, phase('Running', true)],
        [5, terminate(30)],
        [6, state('terminated', { exitCode: 0, reason: 'Completed' })],
        [6.0001, phase('Running', false)],
        [7, { kind: 'ended', phase: 'Succeeded' }],
        [7.0001, phase('Succeeded', false)],
      ]),
    ).toEqual([
      'Pending ContainerCreating 0',
      'ready Running runs 0 up',
      'ready Running runs 0 up deleted',
      'Running Completed 0 0 deleted',
      'Succeeded Completed 0 0 deleted',
    ]);
  });

  test('sees states that followed each other at once', () => {
    expect(
      shown([
        [1, state('running')],
        [1.5, state('terminated', { exitCode: 1, reason: 'Error' })],
        [1.502, state('waiting', { reason: 'CrashLoopBackOff', message: 'back-off 10s' })],
        [11, state('running', { restartCount: 1 })],
      ]),
    ).toEqual([
      'Pending ContainerCreating 0',
      'Pending runs 0 up',
      'Pending Error 1 0',
      'Pending CrashLoopBackOff 0',
      'Pending runs 1 up',
    ]);
  });

  test('sees initialization, with its conditions', () => {
    const inits = [
      { name: 'i', image: 'busybox', role: 'init' },
      { name: 's', image: 'busybox', role: 'sidecar' },
      { name: 'c', image: 'nginx', role: 'main' },
    ];
    const spec = {
      initContainers: [{ name: 'i' }, { name: 's', restartPolicy: 'Always' }],
      containers: [{ name: 'c' }],
    };
    const history = new History({ object: { ...object, spec }, pod: { containers: inits } } as unknown as PodView);
    const seen = (): string => {
      const { status } = history.object;
      const states = [...(status?.initContainerStatuses ?? []), ...(status?.containerStatuses ?? [])].map(
        (one) => one.state?.waiting?.reason ?? one.state?.terminated?.reason ?? 'runs',
      );
      const why = (type: string): string | undefined => {
        const found = status?.conditions?.find((one) => one.type === type);
        return found?.status === 'True' ? type : (found?.message ?? found?.reason);
      };
      return [...states, why('Initialized'), why('ContainersReady'), why('Ready')].join(', ');
    };
    const lines = [seen()];
    const life: Moment[] = [
      [1, state('running', { container: 'i', ready: false })],
      [2, state('terminated', { container: 'i', exitCode: 0, reason: 'Completed', ready: true })],
      [3, state('running', { container: 's' })],
      [4, state('running', { ready: false })],
      [5, state('running')],
      [5, phase('Running', true)],
      [6, phase('Succeeded', false)],
    ];
    for (const entry of journalOf(life)) {
      history.apply(entry);
      lines.push(seen());
    }
    const [notYet, unready] = ['containers with incomplete status', 'containers with unready status'];
    expect(lines).toEqual([
      `PodInitializing, PodInitializing, PodInitializing, ${notYet}: [i s], ${unready}: [s c], ${unready}: [s c]`,
      `runs, PodInitializing, PodInitializing, ${notYet}: [i s], ${unready}: [s c], ${unready}: [s c]`,
      `Completed, PodInitializing, PodInitializing, ${notYet}: [s], ${unready}: [s c], ${unready}: [s c]`,
      `Completed, runs, PodInitializing, Initialized, ${unready}: [c], ${unready}: [c]`,
      `Completed, runs, runs, Initialized, ${unready}: [c], ${unready}: [c]`,
      'Completed, runs, runs, Initialized, ContainersReady, ReadinessGatesNotReady',
      'Completed, runs, runs, Initialized, ContainersReady, Ready',
      'Completed, runs, runs, Initialized, PodCompleted, PodCompleted',
    ]);
  });

  test('is shown the exact times where the files say the same', () => {
    const history = new History(view);
    for (const entry of journalOf([[1, state('running')]])) history.apply(entry);
    const exact: V1Pod = structuredClone(history.object);
    const [one] = exact.status?.containerStatuses ?? [];
    if (one !== undefined) one.state = { running: { startedAt: '2026-11-22T22:56:00Z' } };
    expect(history.confirm({ ...exact, status: { ...exact.status, phase: 'Running' } })).toBe(false);
    expect(history.confirm(undefined)).toBe(false);
    expect(history.confirm(exact)).toBe(true);
    expect(history.show()).toBe(exact);
  });

  test('is never shown the same twice in a row', () => {
    const any = fc.oneof(
      fc.constantFrom('waiting', 'running', 'terminated').map((what) => state(what as 'running')),
      fc.tuple(fc.constantFrom('Pending', 'Running'), fc.boolean()).map(([text, ready]) => phase(text, ready)),
      fc.constant(started),
      fc.constant(terminate(3)),
    );
    fc.assert(
      fc.property(fc.array(any), (notes) => {
        const lines = shown(notes.map((note, i) => [i + 1, note] as const));
        expect(lines.every((line, i) => i === 0 || line !== lines[i - 1])).toBe(true);
      }),
    );
  });
});
