import { buildPodSecurity, buildSecurity } from '../../../src/manifest/security.ts';
import { describe, expect, test } from 'vitest';
import { type Parsed, parseManifest, podFromObject } from '../../../src/manifest/parse.ts';
import { podWith } from './sketch.ts';
import type { Container, Pod } from '../../../src/manifest/pod.ts';

function parse(text: string, validate: 'strict' | 'warn' | 'ignore' = 'strict'): Parsed {
  return parseManifest(text, { file: 'pod.yaml', validate });
}

function only(text: string): Pod {
  const { pods, problems } = parse(text);
  expect(problems).toEqual([]);
  expect(pods).toHaveLength(1);
  return pods[0] as Pod;
}

const container = (text: string): Container => only(text).containers[0] as Container;

describe('a manifest of one container and nothing else', () => {
  const pod = only(podWith([]));

  test('becomes a pod with every choice made', () => {
    const { object, ...rest } = pod;
    expect(object.kind).toBe('Pod');
    expect(rest).toEqual({
      security: buildPodSecurity(),
      processes: 'own',
      hostIpc: false,
      ownUsers: false,
      name: 'p',
      namespace: 'default',
      labels: {},
      annotations: {},
      hostname: 'p',
      network: {
        attached: { kind: 'default' },
        domain: '',
        hostnameAsFqdn: false,
        hostAliases: [],
        dns: { policy: 'ClusterFirst', nameservers: [], searches: [], options: [] },
        bandwidth: { ingress: undefined, egress: undefined },
      },
      restartPolicy: 'Always',
      terminationGracePeriodSeconds: 30,
      activeDeadlineSeconds: undefined,
      readinessGates: [],
      imagePullSecrets: [],
      masksSecrets: true,
      hookTimeout: undefined,
      volumes: [],
      containers: [
        {
          name: 'c',
          security: buildSecurity(),
          role: 'main',
          image: 'busybox:1.36',
          imagePullPolicy: 'IfNotPresent',
          imagePullPolicyWritten: true,
          command: [],
          args: [],
          envFrom: [],
          env: [],
          resources: { limits: {}, requests: {} },
          workingDir: undefined,
          stdin: false,
          stdinOnce: false,
          tty: false,
          terminationMessagePath: '/dev/termination-log',
          terminationMessagePolicy: 'File',
          ports: [],
          probes: { startup: undefined, liveness: undefined, readiness: undefined },
          restartPolicy: undefined,
          restartPolicyRules: [],
          volumeMounts: [],
          stopSignal: undefined,
          seccomp: { kind: 'runtimeDefault' },
          appArmor: { kind: 'runtimeDefault', demanded: false },
          postStart: undefined,
          preStop: undefined,
        },
      ],
    });
  });

  test("is stored with Kubernetes' defaults, keys in kubectl's order", () => {
    expect(JSON.stringify(pod.object)).toBe(
      JSON.stringify({
        apiVersion: 'v1',
        kind: 'Pod',
        metadata: { name: 'p', namespace: 'default' },
        spec: {
          containers: [
            {
              image: 'busybox:1.36',
              imagePullPolicy: 'IfNotPresent',
              name: 'c',
              resources: {},
              terminationMessagePath: '/dev/termination-log',
              terminationMessagePolicy: 'File',
            },
          ],
          dnsPolicy: 'ClusterFirst',
          enableServiceLinks: true,
          restartPolicy: 'Always',
          schedulerName: 'default-scheduler',
          securityContext: {},
          terminationGracePeriodSeconds: 30,
        },
      }),
    );
  });

  test('is the same pod when it is read back from what was stored', () => {
    expect(podFromObject(JSON.parse(JSON.stringify(pod.object)))).toEqual(pod);
  });
});

describe('the pull policy', () => {
  test.each([
    ['nginx', 'Always'],
    ['nginx:latest', 'Always'],
    ['nginx:1.27', 'IfNotPresent'],
    ['registry:5000/nginx', 'Always'],
    ['registry:5000/nginx:1', 'IfNotPresent'],
    [`nginx@sha256:${'a'.repeat(64)}`, 'IfNotPresent'],
    [`nginx:latest@sha256:${'a'.repeat(64)}`, 'Always'],
  ])('of %s is %s when it is not written', (image, policy) => {
    expect(container(podWith([], image)).imagePullPolicy).toBe(policy);
  });

  test('remembers through storage that an Always was only a default', () => {
    const pod = only(podWith([], 'nginx'));
    expect(pod.containers[0]?.imagePullPolicyWritten).toBe(false);
    expect(pod.object.metadata?.annotations).toEqual({ 'minirt.dev/defaulted-image-pull-policy': 'c' });
    expect(pod.annotations).toEqual({});
    expect(podFromObject(JSON.parse(JSON.stringify(pod.object)))).toEqual(pod);
    expect(only(JSON.stringify(pod.object)).containers[0]?.imagePullPolicyWritten).toBe(false);
  });

  test('of an Always that was written is remembered as written', () => {
    const pod = only(podWith(['imagePullPolicy: Always'], 'nginx'));
    expect(pod.containers[0]?.imagePullPolicyWritten).toBe(true);
    expect(pod.object.metadata?.annotations).toBeUndefined();
  });
});

describe('a container', () => {
  test('has what its manifest says', () => {
    const read = container(
      podWith([
        'command: [sh, -c]',
        'args: ["echo $(A)"]',
        'workingDir: /tmp',
        'env: [{name: A, value: "1"}, {name: EMPTY}]',
        'stdin: true',
        'stdinOnce: yes',
        'tty: on',
        'terminationMessagePath: /tmp/why',
        'lifecycle: {postStart: {exec: {command: [a]}}, preStop: {exec: {command: [b, c]}}}',
        'ports: [{containerPort: 80, name: web}]',
      ]),
    );
    expect(read).toMatchObject({
      command: ['sh', '-c'],
      args: ['echo $(A)'],
      workingDir: '/tmp',
      env: [
        { name: 'A', value: '1' },
        { name: 'EMPTY', value: '' },
      ],
      stdin: true,
      stdinOnce: true,
      tty: true,
      terminationMessagePath: '/tmp/why',
      postStart: { kind: 'exec', command: ['a'] },
      preStop: { kind: 'exec', command: ['b', 'c'] },
    });
  });

  test.each([
    ['a port gets its protocol', 'ports: [{containerPort: 80}]', { ports: [{ containerPort: 80, protocol: 'TCP' }] }],
    ['null is absence', 'command: null', { name: 'c' }],
    ['an empty policy is no policy', 'imagePullPolicy: ""', { imagePullPolicy: 'IfNotPresent' }],
    ['a whole number may be written as a float', 'ports: [{containerPort: 8e1}]', { ports: [{ containerPort: 80 }] }],
    ['empty lists of what is not built yet are fine', 'volumeMounts: []', { volumeMounts: [] }],
    ['defaults of what is not built yet are fine', 'terminationMessagePolicy: File', { name: 'c' }],
    ['so is a security context that asks for nothing', 'securityContext: {privileged: false}', { name: 'c' }],
  ])('is stored as Kubernetes would: %s', (_what, line, stored) => {
    expect(only(podWith([line])).object.spec?.containers[0]).toMatchObject(stored);
  });
});

describe('a pod', () => {
  const spec = (lines: string): string => `${podWith([])}${lines}`;

  test.each([
    ['a negative grace period is 1', '  terminationGracePeriodSeconds: -5', { terminationGracePeriodSeconds: 1 }],
    ['a grace period of 0 stays', '  terminationGracePeriodSeconds: 0', { terminationGracePeriodSeconds: 0 }],
    ['a hostname of its own stays', '  hostname: web', { hostname: 'web' }],
    ['an empty hostname is none', '  hostname: ""', { hostname: 'p' }],
    [
      'an override comes before the hostname',
      '  hostname: web\n  hostnameOverride: a.example',
      { hostname: 'a.example' },
    ],
  ])('%s', (_what, lines, expected) => {
    const pod = only(spec(lines));
    expect(pod).toMatchObject(expected);
    expect(podFromObject(JSON.parse(JSON.stringify(pod.object)))).toEqual(pod);
  });

  test.each([
    ['stays whole at 63 characters', 'a'.repeat(63), 'a'.repeat(63)],
    ['is cut at 63', 'a'.repeat(70), 'a'.repeat(63)],
    ['loses a dash or dot at the cut', `${'a'.repeat(61)}-.${'b'.repeat(9)}`, undefined],
    ['keeps its dots', 'a.b', 'a.b'],
  ])('the default hostname %s', (_what, name, hostname) => {
    const { pods, problems } = parse(podWith([]).replace('name: p', `name: ${name}`));
    if (hostname === undefined) expect(problems).toHaveLength(1);
    else expect(pods[0]?.hostname).toBe(hostname);
  });

  test('accepts what has no meaning on one host, and shows it', () => {
    const lines = [
      '  nodeSelector: {disk: ssd}',
      '  tolerations: [{key: a, operator: Exists}]',
      '  affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {nodeSelectorTerms: []}}}',
      '  serviceAccountName: default',
      '  automountServiceAccountToken: false',
      '  hostNetwork: false',
      '  dnsPolicy: Default',
      '  os: {name: linux}',
    ].join('\n');
    expect(only(spec(lines)).object.spec).toMatchObject({ nodeSelector: { disk: 'ssd' }, dnsPolicy: 'Default' });
  });

  test('printed by `get -o yaml` is a manifest again: what a server sets is dropped', () => {
    const { object } = only(podWith([]));
    const metadata = { ...object.metadata, uid: 'u', creationTimestamp: '2026-01-01T00:00:00Z', resourceVersion: '7' };
    expect(only(JSON.stringify({ ...object, metadata, status: { phase: 'Running' } })).object).toEqual(object);
  });

  test('read from storage keeps what a server set', () => {
    const { object } = only(podWith([]));
    const stored = { ...object, metadata: { ...object.metadata, uid: 'u' }, status: { phase: 'Running' } };
    expect(podFromObject(stored).object).toEqual(stored);
  });

  test('read from storage that is none is an error with a code', () => {
    expect(() => podFromObject({ kind: 'Service' })).toThrowError(
      expect.objectContaining({ code: 'manifest.invalid' }) as Error,
    );
    expect(() => podFromObject(null)).toThrowError('read stored pod: not a v1 Pod');
  });
});
