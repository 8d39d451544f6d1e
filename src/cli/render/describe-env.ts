/** Where a container's variables come from, as `kubectl describe pod` shows it (describe.go: describeContainerEnvVars). */
import type { EnvFromSource, EnvVar } from 'kubernetes-types/core/v1.js';
import type { NewerEnvVarSource } from '../../manifest/newer.ts';
import type { V1Container, V1Pod } from '../../manifest/pod.ts';
import { metadataField, resourceValue } from '../../pod/env.ts';
import type { Lines } from './lines.ts';

export function describeEnv(lines: Lines, container: V1Container, metadata: V1Pod['metadata']): void {
  const { env = [], envFrom = [] } = container;
  if (envFrom.length > 0) lines.add(2, 'Environment Variables from:');
  for (const source of envFrom) lines.add(3, ...sourceCells(source));
  lines.add(2, 'Environment:', ...(env.length === 0 ? ['<none>'] : []));
  for (const variable of env) describeVariable(lines, variable, container, metadata);
}

function sourceCells({ prefix = '', configMapRef, secretRef }: EnvFromSource): readonly string[] {
  const { name = '', optional = false } = configMapRef ?? secretRef ?? {};
  const kind = configMapRef === undefined ? 'Secret' : 'ConfigMap';
  return [name, prefix === '' ? kind : `${kind} with prefix '${prefix}'`, `Optional: ${optional}`];
}

function describeVariable(
  lines: Lines,
  { name, value = '', valueFrom }: EnvVar,
  container: V1Container,
  metadata: V1Pod['metadata'],
): void {
  if (valueFrom !== undefined) return lines.add(3, `${name}:`, ...valueCells(valueFrom, container, metadata));
  for (const [i, line] of value.split('\n').entries()) lines.add(3, i === 0 ? `${name}:` : '', line);
}

function valueCells(
  { fieldRef, resourceFieldRef, secretKeyRef, configMapKeyRef, fileKeyRef }: NewerEnvVarSource,
  container: V1Container,
  metadata: V1Pod['metadata'],
): readonly string[] {
  if (fieldRef !== undefined) {
    const { name = '', namespace = '', uid = '', labels = {}, annotations = {} } = metadata ?? {};
    // Of what a node knows kubectl says nothing (fieldpath.ExtractFieldPathAsString).
    const value = metadataField(fieldRef.fieldPath, { name, namespace, uid, labels, annotations }) ?? '';
    return [`${value} (${fieldRef.apiVersion ?? 'v1'}:${fieldRef.fieldPath})`];
  }
  if (resourceFieldRef !== undefined) {
    const { resource, divisor = '0' } = resourceFieldRef;
    const { limits = {}, requests = {} } = container.resources ?? {};
    const value = resourceValue({ resources: { limits, requests } }, { resource, divisor }, NO_NODE);
    const whole = value === '0' && (resource === 'limits.cpu' || resource === 'limits.memory');
    return [`${whole ? 'node allocatable' : value} (${resource})`];
  }
  if (fileKeyRef !== undefined) {
    const { key = '', path = '', volumeName = '', optional = false } = fileKeyRef;
    return [`<set to the key '${key}' of file '${path}' in volume '${volumeName}'>`, `Optional: ${optional}`];
  }
  const { key = '', name = '', optional = false } = secretKeyRef ?? configMapKeyRef ?? {};
  const where = secretKeyRef === undefined ? `of config map '${name}'` : `in secret '${name}'`;
  return [`<set to the key '${key}' ${where}>`, `Optional: ${optional}`];
}

/** Of a resource that has no limit kubectl knows nothing but that. */
const NO_NODE = { name: '', ip: '', cpus: 0, memory: 0, storage: 0 };
