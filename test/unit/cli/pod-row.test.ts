import { describe, expect, test } from 'vitest';
import { podRow, summarizePod } from '../../../src/cli/render/pod-row.ts';
import type { V1Pod } from '../../../src/manifest/pod.ts';
import { crashed, ended, now, podOf, running, status, waiting } from './v1.ts';

describe('READY, STATUS and RESTARTS are those that kubectl printed for the same pod', () => {
  test.each<[what: string, pod: V1Pod, ready: string, text: string, restarts: string]>([
    [
      'deaf-grace-3, being created',
      podOf({ phase: 'Pending', containers: [status('c', waiting('ContainerCreating'))] }),
      '0/1',
      'ContainerCreating',
      '0',
    ],
    ['env-downward, running', podOf({ ready: true, containers: [status('c', running)] }), '1/1', 'Running', '0'],
    ['exit-3-never, failed', podOf({ phase: 'Failed', containers: [status('c', ended(3))] }), '0/1', 'Error', '0'],
    [
      'oom-killed',
      podOf({ phase: 'Failed', containers: [status('c', ended(137, 'OOMKilled'))] }),
      '0/1',
      'OOMKilled',
      '0',
    ],
    [
      'poststart-exec-fail-always, after the hook failed',
      podOf({ containers: [status('c', waiting('PostStartHookError'), crashed)] }),
      '0/1',
      'PostStartHookError',
      '1 (3s ago)',
    ],
    [
      'exit-1-always-backoff',
      podOf({ containers: [status('c', waiting('CrashLoopBackOff'), { lastState: ended(1), restartCount: 3 })] }),
      '0/1',
      'CrashLoopBackOff',
      '3 (3s ago)',
    ],
    [
      'emptydir-shared, the writer done, the reader running, the pod not ready',
      podOf({ containers: [status('w', ended(0)), status('r', running)] }),
      '1/2',
      'NotReady',
      '0',
    ],
    [
      'emptydir-shared, both done',
      podOf({ phase: 'Succeeded', containers: [status('w', ended(0)), status('r', ended(0))] }),
      '0/2',
      'Completed',
      '0',
    ],
    [
      'init-two-ok, in its second init container',
      podOf({
        phase: 'Pending',
        initialized: false,
        init: [status('i1', ended(0)), status('i2', running)],
        containers: [status('c', waiting('PodInitializing'))],
      }),
      '0/1',
      'Init:1/2',
      '0',
    ],
    [
      'init-fails-always',
      podOf({
        phase: 'Pending',
        initialized: false,
        init: [status('i', ended(1), crashed)],
        containers: [status('c', waiting('PodInitializing'))],
      }),
      '0/1',
      'Init:Error',
      '1 (3s ago)',
    ],
    [
      'init-fails-always, waiting for its turn',
      podOf({
        phase: 'Pending',
        initialized: false,
        init: [status('i', waiting('CrashLoopBackOff'), crashed)],
        containers: [status('c', waiting('PodInitializing'))],
      }),
      '0/1',
      'Init:CrashLoopBackOff',
      '1 (3s ago)',
    ],
    [
      'sidecar-main-completes, running',
      podOf({ ready: true, init: [{ ...status('s', running), sidecar: true }], containers: [status('m', running)] }),
      '2/2',
      'Running',
      '0',
    ],
    [
      'sidecar-main-completes, over',
      podOf({
        phase: 'Succeeded',
        init: [{ ...status('s', ended(0)), sidecar: true }],
        containers: [status('m', ended(0))],
      }),
      '0/2',
      'Completed',
      '0',
    ],
    [
      'deaf-grace-3, being deleted',
      podOf({ ready: true, deleted: true, containers: [status('c', running)] }),
      '1/1',
      'Terminating',
      '0',
    ],
  ])('%s', (_what, pod, ready, text, restarts) => {
    expect(summarizePod(pod, now)).toEqual({ ready, status: text, restarts });
  });
});

describe('rules that no sample shows', () => {
  test.each<[what: string, pod: V1Pod, text: string]>([
    [
      'the first container that has something to say wins',
      podOf({ containers: [status('a', waiting('ErrImagePull')), status('b', ended(1))] }),
      'ErrImagePull',
    ],
    [
      'one done, one running, the pod ready: Running',
      podOf({ ready: true, containers: [status('a', ended(0)), status('b', running)] }),
      'Running',
    ],
    [
      'one done before one that failed: its reason',
      podOf({ phase: 'Failed', containers: [status('a', ended(0)), status('b', ended(2))] }),
      'Error',
    ],
    [
      'no reason, but a code',
      podOf({ phase: 'Failed', containers: [status('a', { terminated: { exitCode: 7 } })] }),
      'ExitCode:7',
    ],
    [
      'no reason, but a signal',
      podOf({ phase: 'Failed', containers: [status('a', { terminated: { exitCode: 137, signal: 9 } })] }),
      'Signal:9',
    ],
    [
      "the pod's own reason",
      podOf({ phase: 'Failed', more: { reason: 'DeadlineExceeded', containerStatuses: [] } }),
      'DeadlineExceeded',
    ],
    [
      'a deleted pod that is over keeps its end',
      podOf({ phase: 'Succeeded', deleted: true, containers: [status('a', ended(0))] }),
      'Completed',
    ],
    ['no status at all', { metadata: { name: 'x' } }, ''],
  ])('%s', (_what, pod, text) => {
    expect(summarizePod(pod, now).status).toBe(text);
  });

  test('readiness gates are counted in the wide table', () => {
    const plain = podOf({ containers: [status('c', running)], more: { podIP: '10.0.0.7' } });
    const gated: V1Pod = {
      ...plain,
      spec: {
        containers: [{ name: 'c' }],
        nodeName: 'here',
        readinessGates: [{ conditionType: 'Initialized' }, { conditionType: 'example.com/gate' }],
      },
    };
    expect(podRow(gated, { wide: true, namespace: false }, now).slice(5)).toEqual([
      '10.0.0.7',
      'here',
      '<none>',
      '1/2',
    ]);
  });

  test('a row says <none> for what is not known', () => {
    const row = podRow(podOf({ containers: [status('c', running)] }), { wide: true, namespace: true }, now);
    expect(row).toEqual(['default', 'web', '1/1', 'Running', '0', '47s', '<none>', '<none>', '<none>', '<none>']);
  });
});
