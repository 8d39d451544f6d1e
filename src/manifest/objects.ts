/** ConfigMaps and Secrets past the border: checked, every choice made. */
import { Buffer } from 'node:buffer';
import type { ConfigMap as V1ConfigMap, Secret as V1Secret } from 'kubernetes-types/core/v1.js';

interface Named {
  readonly namespace: string;
  readonly name: string;
  readonly immutable: boolean;
}

export interface ConfigMap extends Named {
  readonly kind: 'ConfigMap';
  readonly data: Readonly<Record<string, string>>;
  /** Base64. */
  readonly binaryData: Readonly<Record<string, string>>;
  /** As Kubernetes would store it; output starts from it. */
  readonly object: V1ConfigMap;
}

export interface Secret extends Named {
  readonly kind: 'Secret';
  readonly type: string;
  /** Base64; what was written as stringData is in it. */
  readonly data: Readonly<Record<string, string>>;
  readonly object: V1Secret;
}

export type ConfigObject = ConfigMap | Secret;

/** Looks an object up by name; undefined when there is none. */
export interface ObjectSource {
  configMap(namespace: string, name: string): Promise<ConfigMap | undefined>;
  secret(namespace: string, name: string): Promise<Secret | undefined>;
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
