import { expect, test } from 'vitest';
import { describePod } from '../../../src/cli/render/describe.ts';
import type { V1Pod } from '../../../src/manifest/pod.ts';
import { aContainer, shell } from '../../support/pods.ts';
import { hookEnd, journalOf } from './story.ts';

const now = new Date('2026-11-22T22:57:07Z');
const started = '2026-11-22T22:56:59Z';
const message =
  'Container image "docker.io/library/busybox:latest" already present on machine and can be accessed by the pod';

const object: V1Pod = {
  metadata: { name: 'poststart-exec-fail-always', namespace: 'default', labels: { app: 'x', b: 'c' } },
  spec: {
    nodeName: 'ref',
    containers: [
      {
        name: 'c',
        image: 'docker.io/library/busybox:latest',
        command: ['/bin/sh', '-c', 'sleep 9'],
        env: [{ name: 'A', value: '1' }],
        lifecycle: { postStart: { exec: { command: ['/bin/sh', '-c', 'exit 1'] } } },
      },
    ],
  },
  status: {
    phase: 'Running',
    startTime: '2026-11-22T22:56:18Z',
    podIP: '10.77.0.104',
    podIPs: [{ ip: '10.77.0.104' }],
    qosClass: 'BestEffort',
    conditions: [
      { type: 'PodReadyToStartContainers', status: 'True' },
      { type: 'Ready', status: 'False' },
    ],
    containerStatuses: [
      {
        name: 'c',
        image: '',
        imageID: 'sha256:1c22',
        containerID: 'minirt://2f8a',
        ready: false,
        restartCount: 3,
        state: { waiting: { reason: 'PostStartHookError', message: 'not shown' } },
        lastState: { terminated: { exitCode: 0, reason: 'Completed', startedAt: started, finishedAt: started } },
      },
    ],
  },
};

const pod = { containers: [aContainer({ postStart: shell('exit 1') })] };

test("a description has kubectl's layout, and beside it how the hooks went", () => {
  const base = { metadata: {}, involvedObject: {}, source: { component: 'kubelet' } };
  const times = { firstTimestamp: '2026-11-22T22:56:18Z', lastTimestamp: started };
  const events = [
    { ...base, ...times, type: 'Normal', reason: 'Pulled', message, count: 4 },
    { ...base, ...times, type: 'Warning', reason: 'FailedPostStartHook', message: 'PostStartHook failed', count: 1 },
  ];
  const output = '2026-11-22T22:56:59Z stderr F no such luck\n';
  const hook = hookEnd({ hook: 'postStart', outcome: 'failed', exitCode: 1, seconds: 0.04, output });
  const text = describePod({ object, pod, events, journal: journalOf([[41, hook]]) }, now);
  expect(text).toBe(`Name:         poststart-exec-fail-always
Namespace:    default
Priority:     0
Node:         ref
Start Time:   Sun, 22 Nov 2026 22:56:18 +0000
Labels:       app=x
              b=c
Annotations:  <none>
Status:       Running
IP:           10.77.0.104
IPs:
  IP:  10.77.0.104
Containers:
  c:
    Container ID:  minirt://2f8a
    Image:         docker.io/library/busybox:latest
    Image ID:      sha256:1c22
    Port:          <none>
    Host Port:     <none>
    Command:
      /bin/sh
      -c
      sleep 9
    State:          Waiting
      Reason:       PostStartHookError
    Last State:     Terminated
      Reason:       Completed
      Exit Code:    0
      Started:      Sun, 22 Nov 2026 22:56:59 +0000
      Finished:     Sun, 22 Nov 2026 22:56:59 +0000
    Ready:          False
    Restart Count:  3
    Environment:
      A:         1
    Mounts:      <none>
    PostStart:   exec [/bin/sh -c exit 1]
      Last Run:  exec exit 1 in 0.0 s (8s ago)
      Output:
        no such luck
Conditions:
  Type                        Status
  PodReadyToStartContainers   True 
  Ready                       False 
Volumes:                      <none>
QoS Class:                    BestEffort
Node-Selectors:               <none>
Tolerations:                  <none>
Events:
  Type     Reason               Age               From     Message
  ----     ------               ----              ----     -------
  Normal   Pulled               8s (x4 over 49s)  kubelet  ${message}
  Warning  FailedPostStartHook  8s                kubelet  PostStartHook failed
`);
});
