import { expect, test } from 'vitest';
import { probeText } from '../../../src/cli/render/describe-container.ts';
import { describePod } from '../../../src/cli/render/describe.ts';
import type { V1Pod } from '../../../src/manifest/pod.ts';
import { aContainer, shell } from '../../support/pods.ts';
import { type Moment, hookEnd, journalOf, probe } from './story.ts';

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

/** The lines of a description from one title to the next that is named. */
function part(given: Partial<V1Pod>, from: string, to: string, journal: readonly Moment[] = []): string {
  const text = describePod(
    { object: { ...object, ...given }, pod: { containers: [] }, events: [], journal: journalOf(journal) },
    now,
  );
  return text.slice(text.indexOf(`\n${from}`) + 1, text.indexOf(`\n${to}`) + 1);
}

test('of liveness-exec-fails it has the probe where kubectl has it, and how it failed', () => {
  const container = {
    name: 'c',
    image: 'busybox',
    livenessProbe: {
      exec: { command: ['/bin/sh', '-c', 'exit 1'] },
      ...{ initialDelaySeconds: 2, timeoutSeconds: 1, periodSeconds: 1, successThreshold: 1, failureThreshold: 1 },
    },
  };
  const journal: Moment[] = [
    [40, probe({ exitCode: 1 })],
    [47, probe({ exitCode: 1, output: 'no such\nthing\n' })],
    [48, probe({ outcome: 'success' })],
  ];
  expect(part({ spec: { containers: [container] } }, 'Containers', 'Conditions', journal)).toBe(`Containers:
  c:
    Container ID:   minirt://2f8a
    Image:          busybox
    Image ID:       sha256:1c22
    Port:           <none>
    Host Port:      <none>
    State:          Waiting
      Reason:       PostStartHookError
    Last State:     Terminated
      Reason:       Completed
      Exit Code:    0
      Started:      Sun, 22 Nov 2026 22:56:59 +0000
      Finished:     Sun, 22 Nov 2026 22:56:59 +0000
    Ready:          False
    Restart Count:  3
    Liveness:       exec [/bin/sh -c exit 1] delay=2s timeout=1s period=1s #success=1 #failure=1
    Environment:    <none>
    Mounts:         <none>
    Failed Probe:   liveness exec exit 1 in 0.0 s, 2s ago (x2 over 9s)
      Output:
        no such
        thing
`);
});

test('init containers come first, sidecars among them', () => {
  const spec = {
    initContainers: [{ name: 'i1' }, { name: 's', restartPolicy: 'Always' }],
    containers: [{ name: 'c' }],
    readinessGates: [{ conditionType: 'Ready' }, { conditionType: 'example.com/gate' }],
  };
  const done = { exitCode: 137, reason: 'OOMKilled', message: 'too much', signal: 9, startedAt: started };
  const status = {
    ...object.status,
    initContainerStatuses: [
      { name: 'i1', image: '', imageID: '', ready: true, restartCount: 0, state: { terminated: done } },
      { name: 's', image: '', imageID: '', ready: true, restartCount: 1, state: { running: { startedAt: started } } },
    ],
  };
  const text = part({ spec, status }, 'Init Containers', 'Conditions');
  expect(text.match(/^( {2})?\S.*:$/gm)).toEqual([
    'Init Containers:',
    '  i1:',
    '  s:',
    'Containers:',
    '  c:',
    'Readiness Gates:',
  ]);
  expect(text).toContain(`    State:          Terminated
      Reason:       OOMKilled
      Message:      too much
      Exit Code:    137
      Signal:       9
      Started:      Sun, 22 Nov 2026 22:56:59 +0000
`);
  expect(text.slice(text.indexOf('Readiness Gates'))).toBe(
    `Readiness Gates:\n  Type               Status\n  Ready              False \n  example.com/gate   <none> \n`,
  );
});

test('what the whole pod may use is told before its containers', () => {
  const resources = { limits: { memory: '1Gi', cpu: '2' }, requests: { cpu: '100m' } };
  const spec = { containers: [], resources };
  expect(part({ spec }, 'Resources', 'Conditions')).toBe(`Resources:
  Limits:
    cpu:     2
    memory:  1Gi
  Requests:
    cpu:  100m
`);
});

test("volumes are told in kubectl's words", () => {
  const volumes = [
    { name: 'v', emptyDir: {} },
    { name: 'm', emptyDir: { medium: 'Memory', sizeLimit: '8Mi' } },
  ];
  const tolerations = [
    { key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoExecute', tolerationSeconds: 300 },
    { key: 'a', value: 'b' },
  ];
  expect(part({ spec: { containers: [], volumes, tolerations } }, 'Volumes', 'Events')).toBe(`Volumes:
  v:
    Type:       EmptyDir (a temporary directory that shares a pod's lifetime)
    Medium:     
    SizeLimit:  <unset>
  m:
    Type:        EmptyDir (a temporary directory that shares a pod's lifetime)
    Medium:      Memory
    SizeLimit:   8Mi
QoS Class:       BestEffort
Node-Selectors:  <none>
Tolerations:     node.kubernetes.io/not-ready:NoExecute op=Exists for 300s
                 a=b
`);
});

test.each<[probe: Parameters<typeof probeText>[0], text: string]>([
  [{ exec: { command: ['cat', '/x'] }, initialDelaySeconds: 5 }, 'exec [cat /x] delay=5s'],
  [{ httpGet: { port: 8080, path: '/healthz' } }, 'http-get http://:8080/healthz delay=0s'],
  [{ httpGet: { port: 'web', host: '::1', scheme: 'HTTPS' } }, 'http-get https://[::1]:web delay=0s'],
  [{ tcpSocket: { port: 80 } }, 'tcp-socket :80 delay=0s'],
  [{ tcpSocket: { host: 'h', port: 'web' } }, 'tcp-socket h:web delay=0s'],
  [{ grpc: { port: 5000, service: 'x' } }, 'grpc <pod>:5000 x delay=0s'],
])('the probe %j', (given, text) => {
  expect(probeText(given)).toBe(`${text} timeout=1s period=10s #success=1 #failure=3`);
});
