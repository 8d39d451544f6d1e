/** ConfigMaps, Secrets and claims past the border: checked, every choice made. */
import { Buffer } from 'node:buffer';
import type {
  ConfigMap as V1ConfigMap,
  PersistentVolumeClaim as V1Claim,
  Secret as V1Secret,
} from 'kubernetes-types/core/v1.js';

interface Named {
  readonly namespace: string;
  readonly name: string;
}

export interface ConfigMap extends Named {
  readonly kind: 'ConfigMap';
  readonly immutable: boolean;
  readonly data: Readonly<Record<string, string>>;
  /** Base64. */
  readonly binaryData: Readonly<Record<string, string>>;
  /** As Kubernetes would store it; output starts from it. */
  readonly object: V1ConfigMap;
}

export interface Secret extends Named {
  readonly kind: 'Secret';
  readonly immutable: boolean;
  readonly type: string;
  /** Base64; what was written as stringData is in it. */
  readonly data: Readonly<Record<string, string>>;
  readonly object: V1Secret;
}

/** A PersistentVolumeClaim: a folder on this host that is kept until the claim is deleted. */
export interface Claim extends Named {
  readonly kind: 'PersistentVolumeClaim';
  /** How much was asked for: a quantity, which is not enforced. */
  readonly storage: string;
  readonly accessModes: readonly string[];
  /** With a status; `spec.volumeName` is there once it is stored. */
  readonly object: V1Claim;
}

/** What minirt keeps beside pods, so that pods can refer to it. */
export type StoredObject = ConfigMap | Secret | Claim;
export type ObjectKind = StoredObject['kind'];

/** kubectl's word for several of a kind. */
export const PLURAL = {
  ConfigMap: 'configmaps',
  Secret: 'secrets',
  PersistentVolumeClaim: 'persistentvolumeclaims',
} as const satisfies Record<ObjectKind, string>;

/** Looks an object up by name; undefined when there is none. */
export interface ObjectSource {
  configMap(namespace: string, name: string): Promise<ConfigMap | undefined>;
  secret(namespace: string, name: string): Promise<Secret | undefined>;
  claim(namespace: string, name: string): Promise<Claim | undefined>;
}

export function buildConfigMap(written: V1ConfigMap): ConfigMap {
  const { metadata = {}, data = {}, binaryData = {}, immutable = false } = written;
  const { name = '', namespace = 'default' } = metadata;
  const object = { ...written, metadata: { ...metadata, name, namespace } };
  return { kind: 'ConfigMap', namespace, name, immutable, data, binaryData, object };
}

/** stringData goes into data, over what stands there under the same key (pkg/registry/core/secret: PrepareForCreate). */
export function buildSecret(written: V1Secret): Secret {
  const { stringData = {}, metadata = {}, immutable = false, ...rest } = written;
  const { name = '', namespace = 'default' } = metadata;
  const type = rest.type === undefined || rest.type === '' ? 'Opaque' : rest.type;
  const texts = Object.entries(stringData).map(([key, text]) => [key, Buffer.from(text).toString('base64')] as const);
  const data = { ...rest.data, ...Object.fromEntries(texts) };
  const object = { ...rest, data, type, metadata: { ...metadata, name, namespace } };
  return { kind: 'Secret', namespace, name, immutable, type, data, object };
}

/** A claim is bound from the start: what it asks for is a folder on this host. */
export function buildClaim(written: V1Claim): Claim {
  const { metadata = {}, spec = {} } = written;
  const { name = '', namespace = 'default' } = metadata;
  const { volumeName: _another, accessModes = [], ...rest } = spec;
  const storage = spec.resources?.requests?.['storage'] ?? '0';
  const volume = metadata.uid === undefined ? {} : { volumeName: `pvc-${metadata.uid}` };
  const object = {
    ...written,
    metadata: { ...metadata, name, namespace },
    spec: { ...rest, accessModes, volumeMode: 'Filesystem', ...volume },
    status: { phase: 'Bound', accessModes, capacity: { storage } },
  };
  return { kind: 'PersistentVolumeClaim', namespace, name, storage, accessModes, object };
}
