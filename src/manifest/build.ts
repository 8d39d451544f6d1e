import type {
  ContainerPort as V1Port,
  EnvFromSource,
  HTTPGetAction,
  LifecycleHandler,
  PodSecurityContext,
  EnvVar as V1EnvVar,
  Probe as V1Probe,
  ResourceRequirements,
  TCPSocketAction,
} from 'kubernetes-types/core/v1.js';
import { parseDuration } from '../base/duration.ts';
import { buildConfinement } from './build-confinement.ts';
import { buildNetwork } from './build-network.ts';
import { absolute, buildVolume, buildVolumeMount } from './build-volume.ts';
import type { NewerEnvVarSource, NewerPodSpec } from './newer.ts';
import { buildPodSecurity, buildSecurity } from './security.ts';
import { DEFAULTED_POLICY, HOOK_TIMEOUT, MASK_SECRETS, defaultPullPolicy } from './defaults.ts';
import type {
  Container,
  ContainerPort,
  EnvEntry,
  EnvFrom,
  Handler,
  HttpGetAction,
  Pod,
  Probe,
  ProbeHandler,
  PullPolicy,
  Resources,
  RestartPolicy,
  RestartRule,
  Role,
  TcpSocketAction,
  V1Container,
  V1Pod,
} from './pod.ts';

/** The internal Pod of a checked and defaulted object: every choice made, every one-of a tag. */
export function buildPod(object: V1Pod): Pod {
  const { metadata = {}, spec } = object;
  const { [DEFAULTED_POLICY]: defaulted = '', ...annotations } = metadata.annotations ?? {};
  const unwritten = new Set(defaulted.split(','));
  const around = { unwritten, security: spec?.securityContext };
  const name = metadata.name ?? '';
  return {
    name,
    namespace: metadata.namespace ?? 'default',
    labels: metadata.labels ?? {},
    annotations,
    ...buildNetwork(object),
    processes: spec?.hostPID === true ? 'host' : spec?.shareProcessNamespace === true ? 'shared' : 'own',
    hostIpc: spec?.hostIPC ?? false,
    ownUsers: spec?.hostUsers === false,
    security: buildPodSecurity(spec?.securityContext),
    restartPolicy: (spec?.restartPolicy ?? 'Always') as RestartPolicy,
    terminationGracePeriodSeconds: spec?.terminationGracePeriodSeconds ?? 30,
    activeDeadlineSeconds: spec?.activeDeadlineSeconds,
    readinessGates: (spec?.readinessGates ?? []).map(({ conditionType }) => conditionType),
    imagePullSecrets: (spec?.imagePullSecrets ?? []).flatMap((secret) => secret.name || []),
    masksSecrets: annotations[MASK_SECRETS] !== 'false',
    hookTimeout: parseDuration(annotations[HOOK_TIMEOUT] ?? ''),
    resources: buildPodResources(spec),
    volumes: (spec?.volumes ?? []).map((volume) => buildVolume(volume, unwritten)),
    containers: [
      ...(spec?.initContainers ?? []).map((one) =>
        buildContainer(one, one.restartPolicy === 'Always' ? 'sidecar' : 'init', around),
      ),
      ...(spec?.containers ?? []).map((one) => buildContainer(one, 'main', around)),
    ],
    object,
  };
}

function envEntry({ name, value = '', valueFrom }: V1EnvVar): EnvEntry {
  const { configMapKeyRef, secretKeyRef, fieldRef, resourceFieldRef, fileKeyRef }: NewerEnvVarSource = valueFrom ?? {};
  const key = configMapKeyRef ?? secretKeyRef;
  if (key !== undefined) {
    const kind = configMapKeyRef === undefined ? 'secretKey' : 'configMapKey';
    return { name, from: { kind, object: key.name ?? '', key: key.key, optional: key.optional ?? false } };
  }
  if (fieldRef !== undefined) return { name, from: { kind: 'field', path: fieldRef.fieldPath } };
  if (fileKeyRef !== undefined) {
    const { volumeName: volume = '', path = '', key: of = '', optional = false } = fileKeyRef;
    return { name, from: { kind: 'fileKey', volume, path, key: of, optional } };
  }
  if (resourceFieldRef === undefined) return { name, value };
  const { containerName, resource, divisor = '0' } = resourceFieldRef;
  return { name, from: { kind: 'resource', container: containerName, resource, divisor } };
}

function envFrom({ prefix = '', configMapRef, secretRef }: EnvFromSource): EnvFrom {
  const kind = configMapRef === undefined ? 'secret' : 'configMap';
  const ref = configMapRef ?? secretRef;
  return { kind, object: ref?.name ?? '', prefix, optional: ref?.optional ?? false };
}

interface Around {
  readonly unwritten: ReadonlySet<string>;
  readonly security: PodSecurityContext | undefined;
}

function buildContainer(container: V1Container, role: Role, { unwritten, security }: Around): Container {
  const image = container.image ?? '';
  const newer = container as V1Container & NewerFields;
  const imagePullPolicy = (container.imagePullPolicy ?? defaultPullPolicy(image)) as PullPolicy;
  return {
    name: container.name,
    security: buildSecurity(container.securityContext, security),
    role,
    image,
    imagePullPolicy,
    imagePullPolicyWritten: !(imagePullPolicy === 'Always' && unwritten.has(container.name)),
    command: container.command ?? [],
    args: container.args ?? [],
    envFrom: (container.envFrom ?? []).map(envFrom),
    env: (container.env ?? []).map(envEntry),
    resources: buildResources(container.resources),
    workingDir: (container.workingDir ?? '') === '' ? undefined : container.workingDir,
    stdin: container.stdin ?? false,
    stdinOnce: container.stdinOnce ?? false,
    tty: container.tty ?? false,
    terminationMessagePath: absolute(container.terminationMessagePath ?? '/dev/termination-log'),
    terminationMessagePolicy:
      container.terminationMessagePolicy === 'FallbackToLogsOnError' ? 'FallbackToLogsOnError' : 'File',
    ports: (container.ports ?? []).map(buildPort),
    probes: {
      startup: buildProbe(container.startupProbe),
      liveness: buildProbe(container.livenessProbe),
      readiness: buildProbe(container.readinessProbe),
    },
    restartPolicy: container.restartPolicy as RestartPolicy | undefined,
    restartPolicyRules: (newer.restartPolicyRules ?? []).map(buildRule),
    volumeMounts: (container.volumeMounts ?? []).map(buildVolumeMount),
    stopSignal: newer.lifecycle?.stopSignal,
    ...buildConfinement(security, container),
    postStart: buildHandler(container.lifecycle?.postStart),
    preStop: buildHandler(container.lifecycle?.preStop),
  };
}

function buildResources({ limits = {}, requests = {} }: ResourceRequirements = {}): Resources {
  return { limits, requests };
}

function buildPodResources({ resources }: NewerPodSpec = { containers: [] }): Resources | undefined {
  const said = Object.keys({ ...resources?.limits, ...resources?.requests }).length > 0;
  return said ? buildResources(resources) : undefined;
}

function buildPort({ name, containerPort, protocol, hostPort = 0, hostIP = '' }: V1Port): ContainerPort {
  return { name, containerPort, protocol: (protocol ?? 'TCP') as ContainerPort['protocol'], hostPort, hostIP };
}

/** Fields that Kubernetes has and `kubernetes-types` (1.30) does not. */
interface NewerFields {
  readonly restartPolicyRules?: readonly V1RestartRule[];
  readonly lifecycle?: { readonly stopSignal?: string };
}

interface V1RestartRule {
  readonly action: string;
  readonly exitCodes?: { readonly operator: string; readonly values?: readonly number[] };
}

function buildRule({ action, exitCodes }: V1RestartRule): RestartRule {
  return {
    action: action as RestartRule['action'],
    operator: exitCodes?.operator === 'NotIn' ? 'NotIn' : 'In',
    values: exitCodes?.values ?? [],
  };
}

function buildHandler(handler: LifecycleHandler | undefined): Handler | undefined {
  if (handler?.exec !== undefined) return { kind: 'exec', command: handler.exec.command ?? [] };
  if (handler?.httpGet !== undefined) return buildHttpGet(handler.httpGet);
  if (handler?.sleep !== undefined) return { kind: 'sleep', seconds: handler.sleep.seconds };
  return handler?.tcpSocket === undefined ? undefined : buildTcpSocket(handler.tcpSocket);
}

function buildProbe(probe: V1Probe | undefined): Probe | undefined {
  const handler = buildProbeHandler(probe);
  if (probe === undefined || handler === undefined) return undefined;
  return {
    handler,
    initialDelaySeconds: probe.initialDelaySeconds ?? 0,
    timeoutSeconds: probe.timeoutSeconds ?? 1,
    periodSeconds: probe.periodSeconds ?? 10,
    successThreshold: probe.successThreshold ?? 1,
    failureThreshold: probe.failureThreshold ?? 3,
    terminationGracePeriodSeconds: probe.terminationGracePeriodSeconds,
  };
}

function buildProbeHandler(probe: V1Probe | undefined): ProbeHandler | undefined {
  if (probe?.exec !== undefined) return { kind: 'exec', command: probe.exec.command ?? [] };
  if (probe?.httpGet !== undefined) return buildHttpGet(probe.httpGet);
  if (probe?.tcpSocket !== undefined) return buildTcpSocket(probe.tcpSocket);
  if (probe?.grpc === undefined) return undefined;
  return { kind: 'grpc', port: probe.grpc.port, service: probe.grpc.service ?? '' };
}

function buildHttpGet(get: HTTPGetAction): HttpGetAction {
  return {
    kind: 'httpGet',
    host: get.host === '' ? undefined : get.host,
    port: get.port,
    path: get.path ?? '/',
    scheme: get.scheme === 'HTTPS' ? 'HTTPS' : 'HTTP',
    headers: get.httpHeaders ?? [],
  };
}

function buildTcpSocket({ host, port }: TCPSocketAction): TcpSocketAction {
  return { kind: 'tcpSocket', host: host === '' ? undefined : host, port };
}
