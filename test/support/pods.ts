import { buildPodSecurity, buildSecurity } from '../../src/manifest/security.ts';
import type { Container, Handler, Pod, RestartPolicy } from '../../src/manifest/pod.ts';
import type { EmptyDirVolume, VolumeMount } from '../../src/manifest/volume.ts';
import { type ContainerRecord, type PodRecord, newRecord } from '../../src/pod/record.ts';

/** What a test says about a container; the rest is what the manifest reader would put there. */
export type ContainerSketch = Partial<Container> & { readonly name?: string };

export interface PodSketch {
  readonly name?: string;
  readonly restartPolicy?: RestartPolicy;
  /** Seconds of terminationGracePeriodSeconds. */
  readonly grace?: number;
  /** Seconds. */
  readonly hookTimeout?: number;
  readonly containers?: readonly ContainerSketch[];
}

export const SOME_UID = '6f1c2d34-0000-4000-8000-000000000001';

/** An exec handler that runs a shell line. */
export function shell(line: string): Handler {
  return { kind: 'exec', command: ['/bin/sh', '-c', line] };
}

export function aContainer(sketch: ContainerSketch = {}): Container {
  return {
    name: 'c',
    security: buildSecurity(),
    role: 'main',
    image: 'docker.io/library/busybox:latest',
    imagePullPolicy: 'IfNotPresent',
    imagePullPolicyWritten: true,
    command: ['/bin/sh', '-c', 'sleep 1000'],
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
    ...sketch,
  };
}

/** All of volume `v` on /v, unless the sketch says otherwise. */
export function aVolumeMount(sketch: Partial<VolumeMount> = {}): VolumeMount {
  return {
    name: 'v',
    mountPath: '/v',
    readOnly: false,
    recursiveReadOnly: false,
    propagation: 'None',
    subPath: undefined,
    subPathExpr: undefined,
    ...sketch,
  };
}

export function anEmptyDir(sketch: Partial<EmptyDirVolume> = {}): EmptyDirVolume {
  return { kind: 'emptyDir', name: 'v', medium: '', sizeLimit: undefined, ...sketch };
}

/** A pod of one container `c`, unless the sketch says otherwise. */
export function aPod(sketch: PodSketch = {}): Pod {
  const { name = 'p', restartPolicy = 'Always', grace = 30 } = sketch;
  const containers = (sketch.containers ?? [{}]).map(aContainer);
  return {
    name,
    security: buildPodSecurity(),
    processes: 'own',
    hostIpc: false,
    ownUsers: false,
    namespace: 'default',
    labels: {},
    annotations: {},
    hostname: name,
    network: {
      attached: { kind: 'default' },
      domain: '',
      hostnameAsFqdn: false,
      hostAliases: [],
      dns: { policy: 'ClusterFirst', nameservers: [], searches: [], options: [] },
      bandwidth: { ingress: undefined, egress: undefined },
    },
    restartPolicy,
    terminationGracePeriodSeconds: grace,
    activeDeadlineSeconds: undefined,
    readinessGates: [],
    imagePullSecrets: [],
    masksSecrets: true,
    resources: undefined,
    hookTimeout: sketch.hookTimeout,
    volumes: [],
    containers,
    object: {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, namespace: 'default' },
      spec: {
        restartPolicy,
        terminationGracePeriodSeconds: grace,
        containers: containers.map(({ name: one, image }) => ({ name: one, image })),
      },
    },
  };
}

/** The record of a pod that an owner has just taken. */
export function aRecord(pod: Pod, changes: Partial<PodRecord> = {}): PodRecord {
  const facts = { uid: SOME_UID, bootId: 'boot', createdAt: '2026-01-01T00:00:00.250Z' };
  return { ...newRecord(pod, facts), startedAt: '2026-01-01T00:00:00.500Z', ...changes };
}

/** The same record with one container changed. */
export function withContainer(record: PodRecord, changes: Partial<ContainerRecord>, index = 0): PodRecord {
  const before = record.containers[index];
  if (before === undefined) throw new RangeError(`the pod has no container ${index}`);
  return { ...record, containers: record.containers.with(index, { ...before, ...changes }) };
}

/** Makes every write below `value` throw, so that a function that changes its input is caught. */
export function deepFreeze<T>(value: T): T {
  if (typeof value !== 'object' || value === null || Object.isFrozen(value)) return value;
  Object.freeze(value);
  for (const inner of Object.values(value)) deepFreeze(inner);
  return value;
}
