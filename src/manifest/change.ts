/** What of a stored object may be changed (pkg/apis/core/validation: ValidateConfigMapUpdate and its like). Pure. */
import { isDeepStrictEqual } from 'node:util';
import type { Claim, ConfigMap, Secret, StoredObject } from './objects.ts';
import { nanos } from './quantity.ts';

/** Why an object must not become another one, in Kubernetes' words; undefined when it may. */
export function forbiddenChange(before: StoredObject, after: StoredObject): string | undefined {
  if (before.kind === 'PersistentVolumeClaim') {
    return after.kind === before.kind ? changeOfClaim(before, after) : undefined;
  }
  if (after.kind === 'PersistentVolumeClaim') return undefined;
  if (before.kind === 'Secret' && after.kind === 'Secret' && before.type !== after.type) {
    return `type: Invalid value: ${JSON.stringify(after.type)}: field is immutable`;
  }
  return before.immutable ? changeOfImmutable(before, after) : undefined;
}

function changeOfImmutable(before: ConfigMap | Secret, after: ConfigMap | Secret): string | undefined {
  const fixed = 'Forbidden: field is immutable when `immutable` is set';
  if (!after.immutable) return `immutable: ${fixed}`;
  if (!isDeepStrictEqual(before.data, after.data)) return `data: ${fixed}`;
  const bytes = (object: ConfigMap | Secret): unknown => (object.kind === 'ConfigMap' ? object.binaryData : undefined);
  return isDeepStrictEqual(bytes(before), bytes(after)) ? undefined : `binaryData: ${fixed}`;
}

function changeOfClaim(before: Claim, after: Claim): string | undefined {
  if (!isDeepStrictEqual(fixedSpec(before), fixedSpec(after))) {
    const but = 'resources.requests and volumeAttributesClassName for bound claims';
    return `spec: Forbidden: spec is immutable after creation except ${but}`;
  }
  if (nanos(after.storage) >= nanos(before.storage)) return undefined;
  return 'spec.resources.requests.storage: Forbidden: field can not be less than status.capacity';
}

function fixedSpec({ object: { spec = {} } }: Claim): unknown {
  const { volumeName: _ours, volumeAttributesClassName: _class, resources = {}, ...fixed } = spec;
  const { requests: _requests, ...others } = resources;
  return { ...fixed, resources: others };
}
