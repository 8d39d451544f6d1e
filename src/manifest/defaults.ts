import { type Rows, fieldTables, shapeOf } from './fields.ts';
import type { Path } from './node.ts';
import type { NewerVolume } from './newer.ts';
import { withPodRequests, withRequests } from './default-resources.ts';
import type { PullPolicy, V1Container, V1Pod } from './pod.ts';
import { canonical } from './quantity.ts';

type Plain = Record<string, unknown>;

/**
 * Names the containers, and as `volumes/NAME` the image volumes, whose pull policy `Always` was not written but defaulted.
 * A stored Pod shows every default, so this is the only place that remembers; it goes along when the object is printed and
 * run again.
 */
export const DEFAULTED_POLICY = 'minirt.dev/defaulted-image-pull-policy';

/** Annotation of minirt's own: how long each hook of the pod may take, as `10s` or `1m30s`. */
export const HOOK_TIMEOUT = 'minirt.dev/hook-timeout';

/** Annotation of minirt's own: `false` shows the values of Secrets in what hooks and probes print. */
export const MASK_SECRETS = 'minirt.dev/mask-secrets';

/** The CNI network that a pod is on instead of the default one; `none` for its own loopback only. */
export const NETWORK = 'minirt.dev/network';

/** Kubernetes' annotations for the CNI plugin `bandwidth`: bits per second into and out of the pod, as a quantity. */
export const INGRESS = 'kubernetes.io/ingress-bandwidth';
export const EGRESS = 'kubernetes.io/egress-bandwidth';

/** The object as Kubernetes would store it (pkg/apis/core/v1/defaults.go), keys in the order in which kubectl prints. */
export function withDefaults(written: V1Pod): V1Pod {
  const pod = preset(written as Plain, fieldTables['Pod'] ?? {}) as V1Pod;
  const defaulted: string[] = [];
  const complete = (given: V1Container): V1Container => {
    const container = withHostPorts(withRequests(withProbeDefaults(given)), pod.spec?.hostNetwork === true);
    if ((container.imagePullPolicy ?? '') !== '') return container;
    const imagePullPolicy = defaultPullPolicy(container.image ?? '');
    if (imagePullPolicy === 'Always') defaulted.push(container.name);
    return { ...container, imagePullPolicy };
  };
  const completeVolume = (given: NewerVolume): NewerVolume => {
    const volume = withSource(given);
    if (volume.image === undefined || (volume.image.pullPolicy ?? '') !== '') return volume;
    const pullPolicy = defaultPullPolicy(volume.image.reference ?? '');
    if (pullPolicy === 'Always') defaulted.push(volumeKey(volume.name));
    return { ...volume, image: { ...volume.image, pullPolicy } };
  };
  const { containers = [], initContainers, volumes } = pod.spec ?? {};
  const completed = {
    ...(volumes === undefined ? {} : { volumes: volumes.map(completeVolume) }),
    ...(initContainers === undefined ? {} : { initContainers: initContainers.map(complete) }),
    containers: containers.map(complete),
  };
  const metadata = { ...pod.metadata };
  if (defaulted.length > 0) metadata.annotations = { ...metadata.annotations, [DEFAULTED_POLICY]: defaulted.join(',') };
  const grace = pod.spec?.terminationGracePeriodSeconds ?? 30;
  const terminationGracePeriodSeconds = grace < 0 ? 1 : grace;
  const spec = withPodRequests({ ...pod.spec, ...completed, terminationGracePeriodSeconds });
  return sorted({ ...pod, apiVersion: 'v1', kind: 'Pod', metadata, spec }) as V1Pod;
}

/** How DEFAULTED_POLICY names an image volume. */
export function volumeKey(name: string): string {
  return `volumes/${name}`;
}

/** A volume of which nothing is said but its name is an emptyDir (SetDefaults_Volume). */
function withSource(volume: NewerVolume): NewerVolume {
  return Object.keys(volume).length > 1 ? volume : { ...volume, emptyDir: {} };
}

/** A zero in these means the default too (SetDefaults_Probe). */
const PROBE_DEFAULTS = { timeoutSeconds: 1, periodSeconds: 10, successThreshold: 1, failureThreshold: 3 } as const;

function withProbeDefaults(container: V1Container): V1Container {
  const complete = { ...container };
  for (const name of ['startupProbe', 'livenessProbe', 'readinessProbe'] as const) {
    const probe = container[name];
    if (probe === undefined) continue;
    const zeros = Object.entries(PROBE_DEFAULTS).filter(([field]) => probe[field as keyof typeof PROBE_DEFAULTS] === 0);
    complete[name] = { ...probe, ...Object.fromEntries(zeros) };
  }
  return complete;
}

/** On the host's network a container's port is the host's (SetDefaults_Pod: defaultHostNetworkPorts). */
function withHostPorts(container: V1Container, hostNetwork: boolean): V1Container {
  if (!hostNetwork || container.ports === undefined) return container;
  const ports = container.ports.map((port) => ({ ...port, hostPort: port.hostPort || port.containerPort }));
  return { ...container, ports };
}

/** Puts the tables' presets where nothing was written, at every depth. */
function preset(value: Plain, rows: Rows): Plain {
  const filled: [string, unknown][] = [];
  for (const [name, field] of Object.entries(rows)) {
    const written = Object.hasOwn(value, name) ? value[name] : undefined;
    const missing = written === undefined || (written === '' && field.preset !== undefined);
    const member = missing ? field.preset : deeper(written, field.type);
    if (member !== undefined) filled.push([name, member]);
  }
  return Object.fromEntries(filled);
}

function deeper(value: unknown, type: string): unknown {
  const shape = shapeOf(type);
  if (shape.kind === 'list') return (value as unknown[]).map((item) => deeper(item, shape.of));
  if (shape.kind === 'map' && shape.of === 'Quantity') {
    const amounts = Object.entries(value as Record<string, string>);
    return Object.fromEntries(amounts.map(([name, amount]) => [name, canonical(amount)]));
  }
  return shape.kind === 'object' ? preset(value as Plain, shape.rows) : value;
}

/** `Always` for the tag `latest` and for no tag and no digest, else `IfNotPresent` (SetDefaults_Container). */
export function defaultPullPolicy(image: string): PullPolicy {
  const [name = '', digest] = image.split('@');
  const tag = /:([^:/]+)$/.exec(name)?.[1];
  return tag === 'latest' || (tag === undefined && digest === undefined) ? 'Always' : 'IfNotPresent';
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  const members = Object.entries(value).filter(([, member]) => member !== undefined);
  return Object.fromEntries(members.sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, member]) => [key, sorted(member)]));
}

const SERVER_FIELDS = [
  'uid',
  'creationTimestamp',
  'deletionTimestamp',
  'deletionGracePeriodSeconds',
  'generation',
  'resourceVersion',
  'selfLink',
  'managedFields',
] as const;

/** The object without what a server sets: a manifest that was printed by `get -o yaml` is a manifest again. */
export function withoutServerFields<T>(object: T): T {
  return without(object, [['status'], ...SERVER_FIELDS.map((name) => ['metadata', name])]);
}

/** A copy of `value` without the fields at `paths`, nor the objects that this leaves empty. */
export function without<T>(value: T, paths: readonly Path[]): T {
  const copy = structuredClone(value);
  for (const path of paths) remove(copy, path);
  return copy;
}

/** Removes a field from `parent`; true when that left `parent` empty. */
function remove(parent: unknown, [step, ...rest]: Path): boolean {
  if (step === undefined || typeof parent !== 'object' || parent === null) return false;
  const key = typeof step === 'object' ? step.key : step;
  if (!Object.hasOwn(parent, key)) return false;
  const gone = rest.length === 0 || remove((parent as Plain)[key], rest);
  if (gone && !Array.isArray(parent)) Reflect.deleteProperty(parent, key);
  return gone && Object.keys(parent).length === 0;
}
