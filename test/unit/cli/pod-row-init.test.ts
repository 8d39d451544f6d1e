import { describe, expect, test } from 'vitest';
import { summarizePod } from '../../../src/cli/render/pod-row.ts';
import type { V1Pod } from '../../../src/manifest/pod.ts';
import { crashed, ended, now, podOf, running, status, waiting } from './v1.ts';

describe('READY, STATUS and RESTARTS of pods with init containers', () => {
  test.each<[what: string, pod: V1Pod, ready: string, text: string, restarts: string]>([
    [
      'a sidecar that is not ready counts only in the total',
      podOf({
        init: [{ ...status('s', running, { ready: false }), sidecar: true }],
        containers: [status('m', running)],
      }),
      '1/2',
      'Running',
      '0',
    ],
    [
      'a sidecar whose startup probe has not succeeded',
      podOf({
        phase: 'Pending',
        initialized: false,
        init: [{ ...status('s', running, { ready: false, started: false }), sidecar: true }, status('i', waiting(''))],
        containers: [status('m', waiting('PodInitializing'))],
      }),
      '0/2',
      'Init:0/2',
      '0',
    ],
    [
      'initialization goes on behind a sidecar, which counts',
      podOf({
        phase: 'Pending',
        initialized: false,
        init: [{ ...status('s', running), sidecar: true }, status('i', waiting('PodInitializing'))],
        containers: [status('m', waiting('PodInitializing'))],
      }),
      '1/2',
      'Init:1/2',
      '0',
    ],
    [
      'while initializing the restarts of all init containers count, of the others none',
      podOf({
        phase: 'Pending',
        initialized: false,
        init: [
          { ...status('s', running, { restartCount: 2, lastState: ended(1) }), sidecar: true },
          status('i', waiting('CrashLoopBackOff'), { restartCount: 3 }),
        ],
        containers: [status('m', waiting('PodInitializing'))],
      }),
      '1/2',
      'Init:CrashLoopBackOff',
      '5 (3s ago)',
    ],
    [
      'afterwards those of sidecars and main containers',
      podOf({
        ready: true,
        init: [
          { ...status('s', running, { restartCount: 2 }), sidecar: true },
          status('i', ended(0), { restartCount: 7, lastState: ended(1) }),
        ],
        containers: [status('m', running, { restartCount: 1 })],
      }),
      '2/2',
      'Running',
      '3',
    ],
    [
      'a sidecar that waits while the main containers run',
      podOf({
        init: [{ ...status('s', waiting('CrashLoopBackOff'), crashed), sidecar: true }],
        containers: [status('m', running)],
      }),
      '1/2',
      'Init:CrashLoopBackOff',
      '1 (3s ago)',
    ],
    [
      'an init container that a signal ended',
      podOf({
        phase: 'Failed',
        initialized: false,
        init: [status('i', { terminated: { exitCode: 137, signal: 9 } })],
        containers: [status('m', waiting('PodInitializing'))],
      }),
      '0/1',
      'Init:Signal:9',
      '0',
    ],
    [
      'an init container that ended without a reason',
      podOf({ phase: 'Failed', initialized: false, init: [status('i', { terminated: { exitCode: 4 } })] }),
      '0/0',
      'Init:ExitCode:4',
      '0',
    ],
    [
      'initialization of a pod that is being deleted',
      podOf({ phase: 'Pending', initialized: false, deleted: true, init: [status('i', running)] }),
      '0/0',
      'Terminating',
      '0',
    ],
  ])('%s', (_what, pod, ready, text, restarts) => {
    expect(summarizePod(pod, now)).toEqual({ ready, status: text, restarts });
  });
});
