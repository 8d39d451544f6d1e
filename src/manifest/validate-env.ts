/** Kubernetes' rules for where variables come from (pkg/apis/core/validation: ValidateEnv, ValidateEnvFrom). */
import type { EnvFromSource, EnvVar, ObjectFieldSelector, ResourceFieldSelector } from 'kubernetes-types/core/v1.js';
import * as names from './names.ts';
import type { FileKeySelector, NewerEnvVarSource, NewerVolume } from './newer.ts';
import type { Path } from './node.ts';
import { type Report, complain } from './problem.ts';
import { nanos } from './quantity.ts';
import { validateFilePath } from './validate-content.ts';

const FIELDS = [
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
  'spec.nodeName',
  'spec.serviceAccountName',
  'status.hostIP',
  'status.hostIPs',
  'status.podIP',
  'status.podIPs',
];
const RESOURCES = [
  'limits.cpu',
  'limits.ephemeral-storage',
  'limits.memory',
  'requests.cpu',
  'requests.ephemeral-storage',
  'requests.memory',
];
const SUBSCRIPT = /^(metadata\.(?:labels|annotations))\['(.*)'\]$/s;

/** `volumes`: of the pod. */
export function validateEnv(
  variable: Partial<EnvVar>,
  volumes: readonly Partial<NewerVolume>[],
  path: Path,
  report: Report,
): void {
  const { name = '', value = '', valueFrom } = variable;
  if (name === '') report.problem([...path, 'name'], 'Required value');
  else complain(report, [...path, 'name'], name, names.envNameComplaints(name));
  if (valueFrom === undefined) return;
  if (value !== '') {
    complain(report, [...path, 'valueFrom'], '', ['may not be specified when `value` is not empty']);
  }
  const at = [...path, 'valueFrom'];
  validateSource(valueFrom, at, report);
  const { fileKeyRef }: NewerEnvVarSource = valueFrom;
  if (fileKeyRef !== undefined) validateFileKey(fileKeyRef, volumes, [...at, 'fileKeyRef'], report);
}

function validateFileKey(
  ref: FileKeySelector,
  volumes: readonly Partial<NewerVolume>[],
  at: Path,
  report: Report,
): void {
  const { volumeName = '', path = '', key = '' } = ref;
  const volume = volumes.find(({ name }) => name === volumeName);
  if (volumeName === '') report.problem([...at, 'volumeName'], 'Required value');
  else if (volume === undefined) report.problem([...at, 'volumeName'], `Not found: ${JSON.stringify(volumeName)}`);
  else if (volume.emptyDir === undefined && Object.keys(volume).length > 1) {
    complain(report, [...at, 'volumeName'], volumeName, ['referenced volume must be of type emptyDir']);
  }
  validateFilePath(path, [...at, 'path'], report);
  if (key === '') report.problem([...at, 'key'], 'Required value');
  else complain(report, [...at, 'key'], key, names.envNameComplaints(key));
}

function validateSource(source: NewerEnvVarSource, path: Path, report: Report): void {
  const { configMapKeyRef, secretKeyRef, fieldRef, resourceFieldRef } = source;
  const given = Object.keys(source);
  if (given.length === 0) {
    const all = '`fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`';
    complain(report, path, '', [`must specify one of: ${all}`]);
  }
  if (given.length > 1) complain(report, path, '', ['may not have more than one field specified at a time']);
  for (const [kind, ref] of Object.entries({ configMapKeyRef, secretKeyRef })) {
    if (ref === undefined) continue;
    validateObjectName(ref.name ?? '', [...path, kind, 'name'], report);
    const key = (ref as { readonly key?: string }).key ?? '';
    if (key === '') report.problem([...path, kind, 'key'], 'Required value');
    else complain(report, [...path, kind, 'key'], key, names.configKeyComplaints(key));
  }
  if (fieldRef !== undefined) validateFieldRef(fieldRef, FIELDS, [...path, 'fieldRef'], report);
  if (resourceFieldRef !== undefined) validateResourceRef(resourceFieldRef, [...path, 'resourceFieldRef'], report);
}

/** A resource of a container, for variables and for files of a volume alike (validateContainerResourceFieldSelector). */
export function validateResourceRef(ref: Partial<ResourceFieldSelector>, path: Path, report: Report): void {
  const { resource = '', divisor } = ref;
  if (resource === '') report.problem([...path, 'resource'], 'Required value');
  else if (!RESOURCES.includes(resource) && !/^(limits|requests)\.hugepages-/.test(resource)) {
    unsupported(report, [...path, 'resource'], resource, RESOURCES);
  }
  if (divisor !== undefined) validateDivisor(resource, divisor, [...path, 'divisor'], report);
}

const CPU_DIVISORS = ['1m', '1'];
const SIZE_DIVISORS = ['1', '1k', '1M', '1G', '1T', '1P', '1E', '1Ki', '1Mi', '1Gi', '1Ti', '1Pi', '1Ei'];

function validateDivisor(resource: string, divisor: string, path: Path, report: Report): void {
  const cpu = resource.endsWith('.cpu');
  const fits =
    nanos(divisor) === 0n || (cpu ? CPU_DIVISORS : SIZE_DIVISORS).some((one) => nanos(one) === nanos(divisor));
  if (fits) return;
  const what = cpu ? "only divisor's values 1m and 1 are supported with the cpu resource" : undefined;
  const memory =
    "only divisor's values 1, 1k, 1M, 1G, 1T, 1P, 1E, 1Ki, 1Mi, 1Gi, 1Ti, 1Pi, 1Ei are supported with the memory resource";
  complain(report, path, resource.split('.')[1], [what ?? memory]);
}

/** A field of the pod, one of `fields` or one label or annotation (validateObjectFieldSelector). */
export function validateFieldRef(
  ref: Partial<ObjectFieldSelector>,
  fields: readonly string[],
  path: Path,
  report: Report,
): void {
  const { apiVersion = 'v1', fieldPath = '' } = ref;
  if (apiVersion !== '' && apiVersion !== 'v1') {
    complain(report, [...path, 'apiVersion'], apiVersion, ['must be "v1"']);
  }
  const at = [...path, 'fieldPath'];
  if (fieldPath === '') return report.problem(at, 'Required value');
  const [, map = '', key = ''] = SUBSCRIPT.exec(fieldPath) ?? [];
  if (map === 'metadata.labels') return complain(report, at, key, names.qualifiedNameComplaints(key));
  if (map === 'metadata.annotations')
    return complain(report, at, key, names.qualifiedNameComplaints(key.toLowerCase()));
  if (!fields.includes(fieldPath)) unsupported(report, at, fieldPath, fields);
}

function unsupported(report: Report, path: Path, value: string, values: readonly string[]): void {
  const listed = values
    .toSorted()
    .map((one) => JSON.stringify(one))
    .join(', ');
  report.problem(path, `Unsupported value: ${JSON.stringify(value)}: supported values: ${listed}`);
}

export function validateEnvFrom(source: EnvFromSource, path: Path, report: Report): void {
  const { prefix = '', configMapRef, secretRef } = source;
  if (prefix !== '') complain(report, [...path, 'prefix'], prefix, names.envNameComplaints(prefix));
  if (configMapRef === undefined && secretRef === undefined) {
    complain(report, path, '', ['must specify one of: `configMapRef` or `secretRef`']);
  }
  if (configMapRef !== undefined && secretRef !== undefined) {
    complain(report, path, '', ['may not have more than one field specified at a time']);
  }
  for (const [kind, ref] of Object.entries({ configMapRef, secretRef })) {
    if (ref !== undefined) validateObjectName(ref.name ?? '', [...path, kind, 'name'], report);
  }
}

function validateObjectName(name: string, path: Path, report: Report): void {
  if (name === '') report.problem(path, 'Required value');
  else complain(report, path, name, names.subdomainComplaints(name));
}
