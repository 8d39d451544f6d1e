import { Buffer } from 'node:buffer';
import type { ContainerPort, EnvVar, LifecycleHandler, PodSpec } from 'kubernetes-types/core/v1.js';
import type { ObjectMeta } from 'kubernetes-types/meta/v1.js';
import * as names from './names.ts';
import type { Path } from './node.ts';
import type { V1Container, V1Pod } from './pod.ts';
import type { Report } from './problem.ts';

const MOST_ANNOTATION_BYTES = 256 * 1024;
/** In the order in which Kubernetes looks. */
const HANDLERS = ['exec', 'httpGet', 'tcpSocket', 'sleep'] as const;

/**
 * Kubernetes' rules that go beyond types, in Kubernetes' words (pkg/apis/core/validation). Reads the object as written,
 * before defaults; rules of fields that minirt does not support yet come with those fields.
 */
export function validatePod(pod: V1Pod, report: Report): void {
  validateMetadata(pod.metadata ?? {}, report);
  validateSpec(pod.spec ?? { containers: [] }, report);
}

function complain(report: Report, path: Path, value: unknown, complaints: readonly string[]): void {
  for (const complaint of complaints) report.problem(path, `Invalid value: ${JSON.stringify(value)}: ${complaint}`);
}

function validateMetadata(metadata: ObjectMeta, report: Report): void {
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
  for (const [key] of annotations) {
    complain(report, [...path, 'annotations', { key }], key, names.qualifiedNameComplaints(key.toLowerCase()));
  }
  const bytes = annotations.reduce((sum, pair) => sum + Buffer.byteLength(pair.join('')), 0);
  if (bytes > MOST_ANNOTATION_BYTES) {
    report.problem([...path, 'annotations'], `Too long: may not be more than ${MOST_ANNOTATION_BYTES} bytes`);
  }
}

function validateSpec(spec: PodSpec, report: Report): void {
  const path = ['spec'];
  const { hostname = '', containers = [] } = spec as Partial<PodSpec>;
  if (hostname !== '') complain(report, [...path, 'hostname'], hostname, names.labelComplaints(hostname));
  if (containers.length === 0) report.problem([...path, 'containers'], 'Required value');
  containers.forEach((container, i) => {
    validateContainer(container, [...path, 'containers', i], report);
  });
  duplicates(report, containers, { path: [...path, 'containers'], field: 'name' });
}

function validateContainer(container: Partial<V1Container>, path: Path, report: Report): void {
  const { name = '', image = '', env = [], ports = [], lifecycle = {} } = container;
  if (name === '') report.problem([...path, 'name'], 'Required value');
  else complain(report, [...path, 'name'], name, names.labelComplaints(name));
  if (image === '') report.problem([...path, 'image'], 'Required value');
  else if (image !== image.trim()) {
    complain(report, [...path, 'image'], image, ['must not have leading or trailing whitespace']);
  }
  env.forEach((variable, i) => {
    validateEnv(variable, [...path, 'env', i], report);
  });
  ports.forEach((port, i) => {
    validatePort(port, [...path, 'ports', i], report);
  });
  duplicates(report, ports, { path: [...path, 'ports'], field: 'name' });
  for (const hook of ['postStart', 'preStop'] as const) {
    const handler = lifecycle[hook];
    if (handler !== undefined) validateHandler(handler, [...path, 'lifecycle', hook], report);
  }
}

function validateEnv({ name = '' }: Partial<EnvVar>, path: Path, report: Report): void {
  if (name === '') report.problem([...path, 'name'], 'Required value');
  else complain(report, [...path, 'name'], name, names.envNameComplaints(name));
}

function validatePort(port: Partial<ContainerPort>, path: Path, report: Report): void {
  const { name = '', containerPort = 0 } = port;
  if (name !== '') complain(report, [...path, 'name'], name, names.portNameComplaints(name));
  if (containerPort === 0) report.problem([...path, 'containerPort'], 'Required value');
  else if (containerPort < 1 || containerPort > 65535) {
    complain(report, [...path, 'containerPort'], containerPort, ['must be between 1 and 65535, inclusive']);
  }
}

function validateHandler(handler: LifecycleHandler, path: Path, report: Report): void {
  const [first, ...others] = HANDLERS.filter((kind) => handler[kind] !== undefined);
  if (first === undefined) report.problem(path, 'Required value: must specify a handler type');
  for (const kind of others) report.problem([...path, kind], 'Forbidden: may not specify more than 1 handler type');
  if (handler.exec !== undefined && (handler.exec.command ?? []).length === 0) {
    report.problem([...path, 'exec', 'command'], 'Required value');
  }
}

/** Reports every item whose `field` an earlier one has; empty ones are not compared. */
function duplicates<Field extends string>(
  report: Report,
  items: readonly { readonly [name in Field]?: string }[],
  where: { readonly path: Path; readonly field: Field },
): void {
  const seen = new Set<string>();
  items.forEach((item, i) => {
    const value = item[where.field] ?? '';
    if (value !== '' && seen.has(value)) {
      report.problem([...where.path, i, where.field], `Duplicate value: ${JSON.stringify(value)}`);
    }
    seen.add(value);
  });
}
