import { Buffer } from 'node:buffer';
import type { ContainerPort, PodSpec } from 'kubernetes-types/core/v1.js';
import type { ObjectMeta } from 'kubernetes-types/meta/v1.js';
import { parseDuration } from '../base/duration.ts';
import { EGRESS, HOOK_TIMEOUT, INGRESS, NETWORK } from './defaults.ts';
import * as names from './names.ts';
import type { Path } from './node.ts';
import type { V1Container, V1Pod } from './pod.ts';
import { type Report, complain } from './problem.ts';
import { validateEnv, validateEnvFrom } from './validate-env.ts';
import { type Around, validateLifecycle } from './validate-lifecycle.ts';
import { bandwidthComplaints, validateNetwork } from './validate-network.ts';
import { validatePodResources, validateResources } from './validate-resources.ts';
import { validatePodSecurity, validateSecurity } from './validate-security.ts';
import { validateVolumeMounts, validateVolumes } from './validate-volumes.ts';

const MOST_ANNOTATION_BYTES = 256 * 1024;
const LONGEST_DEADLINE = 2 ** 31 - 1;

/**
 * Kubernetes' rules that go beyond types, in Kubernetes' words (pkg/apis/core/validation). Reads the object as written,
 * before defaults; rules of fields that minirt does not support yet come with those fields.
 */
export function validatePod(pod: V1Pod, report: Report): void {
  validateMetadata(pod.metadata ?? {}, report);
  validateSpec(pod.spec ?? { containers: [] }, report);
}

/** Kubernetes' rules for every object's metadata (ValidateObjectMeta). */
export function validateMetadata(metadata: ObjectMeta, report: Report): void {
  const path = ['metadata'];
  const { name = '', namespace = '', generateName = '' } = metadata;
  if (name !== '') complain(report, [...path, 'name'], name, names.subdomainComplaints(name));
  else {
    const why = generateName === '' ? '' : ': minirt makes up no names, so generateName is not enough';
    report.problem([...path, 'name'], `Required value${why}`);
  }
  if (namespace !== '') complain(report, [...path, 'namespace'], namespace, names.labelComplaints(namespace));
  for (const [key, value] of Object.entries(metadata.labels ?? {})) {
    const at = [...path, 'labels', { key }];
    complain(report, at, key, names.qualifiedNameComplaints(key));
    complain(report, at, value, names.labelValueComplaints(value));
  }
  const annotations = Object.entries(metadata.annotations ?? {});
  for (const [key, value] of annotations) {
    const at = [...path, 'annotations', { key }];
    complain(report, at, key, names.qualifiedNameComplaints(key.toLowerCase()));
    if (key === NETWORK && value === 'host') complain(report, at, value, ['write `hostNetwork: true` in the spec']);
    if (key === INGRESS || key === EGRESS) complain(report, at, value, bandwidthComplaints(value));
    if (key !== HOOK_TIMEOUT || (parseDuration(value) ?? 0) > 0) continue;
    complain(report, at, value, ['must be a duration above zero, for example 10s or 1m30s']);
  }
  const bytes = annotations.reduce((sum, pair) => sum + Buffer.byteLength(pair.join('')), 0);
  if (bytes > MOST_ANNOTATION_BYTES) {
    report.problem([...path, 'annotations'], `Too long: may not be more than ${MOST_ANNOTATION_BYTES} bytes`);
  }
}

function validateSpec(spec: PodSpec, report: Report): void {
  const path = ['spec'];
  const { containers = [], initContainers = [], readinessGates = [] } = spec as Partial<PodSpec>;
  const { activeDeadlineSeconds: deadline, terminationGracePeriodSeconds: grace = 30, os } = spec;
  validateNetwork(spec, path, report);
  validatePodSecurity(spec, path, report);
  validatePodResources({ ...spec, containers }, [...path, 'resources'], report);
  if (containers.length === 0) report.problem([...path, 'containers'], 'Required value');
  if (deadline !== undefined && (deadline < 1 || deadline > LONGEST_DEADLINE)) {
    const range = `must be between 1 and ${LONGEST_DEADLINE}, inclusive`;
    complain(report, [...path, 'activeDeadlineSeconds'], deadline, [range]);
  }
  readinessGates.forEach(({ conditionType = '' }: { conditionType?: string }, i) => {
    const at = [...path, 'readinessGates', i, 'conditionType'];
    complain(report, at, conditionType, names.qualifiedNameComplaints(conditionType));
  });
  const volumes = spec.volumes ?? [];
  validateVolumes(volumes, [...path, 'volumes'], report);
  const ownUsers = spec.hostUsers === false;
  const around = { grace: grace < 0 ? 1 : grace, os: os?.name ?? '', volumes, ownUsers };
  containers.forEach((container, i) => {
    validateContainer(container, { ...around, role: 'main' }, [...path, 'containers', i], report);
  });
  initContainers.forEach((container, i) => {
    const role = container.restartPolicy === 'Always' ? 'sidecar' : 'init';
    validateContainer(container, { ...around, role }, [...path, 'initContainers', i], report);
  });
  duplicates(report, containers, { path: [...path, 'containers'], field: 'name' });
  duplicates(report, initContainers, { path: [...path, 'initContainers'], field: 'name', also: containers });
}

function validateContainer(container: Partial<V1Container>, around: Around, path: Path, report: Report): void {
  const { name = '', image = '', env = [], envFrom = [], ports = [] } = container;
  if (name === '') report.problem([...path, 'name'], 'Required value');
  else complain(report, [...path, 'name'], name, names.labelComplaints(name));
  if (image === '') report.problem([...path, 'image'], 'Required value');
  else if (image !== image.trim()) {
    complain(report, [...path, 'image'], image, ['must not have leading or trailing whitespace']);
  }
  env.forEach((variable, i) => {
    validateEnv(variable, around.volumes, [...path, 'env', i], report);
  });
  envFrom.forEach((source, i) => {
    validateEnvFrom(source, [...path, 'envFrom', i], report);
  });
  ports.forEach((port, i) => {
    validatePort(port, [...path, 'ports', i], report);
  });
  duplicates(report, ports, { path: [...path, 'ports'], field: 'name' });
  validateLifecycle(container, around, path, report);
  validateSecurity(container.securityContext, around, [...path, 'securityContext'], report);
  validateResources(container.resources, [...path, 'resources'], report);
  validateVolumeMounts(
    container.volumeMounts ?? [],
    { ...around, privileged: container.securityContext?.privileged === true },
    [...path, 'volumeMounts'],
    report,
  );
}

function validatePort(port: Partial<ContainerPort>, path: Path, report: Report): void {
  const { name = '', containerPort = 0 } = port;
  if (name !== '') complain(report, [...path, 'name'], name, names.portNameComplaints(name));
  if (containerPort === 0) report.problem([...path, 'containerPort'], 'Required value');
  else if (containerPort < 1 || containerPort > 65535) {
    complain(report, [...path, 'containerPort'], containerPort, ['must be between 1 and 65535, inclusive']);
  }
}

/** Reports every item whose `field` an earlier one has; empty ones are not compared. */
function duplicates<Field extends string>(
  report: Report,
  items: readonly { readonly [name in Field]?: string }[],
  where: {
    readonly path: Path;
    readonly field: Field;
    /** Others that must not have the same either. */
    readonly also?: readonly { readonly [name in Field]?: string }[];
  },
): void {
  const seen = new Set((where.also ?? []).map((item) => item[where.field] ?? ''));
  items.forEach((item, i) => {
    const value = item[where.field] ?? '';
    if (value !== '' && seen.has(value)) {
      report.problem([...where.path, i, where.field], `Duplicate value: ${JSON.stringify(value)}`);
    }
    seen.add(value);
  });
}
