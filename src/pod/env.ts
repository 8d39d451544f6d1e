import { Buffer } from 'node:buffer';
import { MinirtError } from '../base/errors.ts';
import { expandEnv } from '../manifest/expand.ts';
import type { ConfigMap, ObjectSource, Secret } from '../manifest/objects.ts';
import type { Container, EnvFrom, EnvSource, EnvVar, Pod } from '../manifest/pod.ts';
import { divided, nanos, units } from '../manifest/quantity.ts';
import type { Node } from '../sys/node.ts';
import { parseEnvFile } from './env-file.ts';

/** What variables are made from, as it is when the container is created. */
export interface EnvFacts {
  readonly pod: Pod;
  readonly uid: string;
  /** The pod's address. */
  readonly ip: string | undefined;
  readonly node: Node;
  readonly configMaps: ReadonlyMap<string, ConfigMap>;
  readonly secrets: ReadonlyMap<string, Secret>;
  /** What containers left in volumes, by `fileOf`; a file that is not there has no entry. */
  readonly files: ReadonlyMap<string, string>;
}

/** Names a file in `EnvFacts.files`. */
export function fileOf({ volume, path }: { readonly volume: string; readonly path: string }): string {
  return `${volume}/${path}`;
}

/** The objects that a container's variables come from; what does not exist is not there. */
export async function objectsOfEnv(
  { env, envFrom }: Container,
  namespace: string,
  source: Pick<ObjectSource, 'configMap' | 'secret'>,
): Promise<Pick<EnvFacts, 'configMaps' | 'secrets'>> {
  const configMaps = new Map<string, ConfigMap>();
  const secrets = new Map<string, Secret>();
  const froms = env.flatMap((entry) => ('from' in entry ? [entry.from] : []));
  for (const from of [...envFrom, ...froms]) {
    if (from.kind === 'configMap' || from.kind === 'configMapKey') {
      const found = await source.configMap(namespace, from.object);
      if (found !== undefined) configMaps.set(from.object, found);
    } else if (from.kind === 'secret' || from.kind === 'secretKey') {
      const found = await source.secret(namespace, from.object);
      if (found !== undefined) secrets.set(from.object, found);
    }
  }
  return { configMaps, secrets };
}

/**
 * The variables of a container: those of envFrom, then env over them (kubelet_pods.go: makeEnvironmentVariables). Throws
 * MinirtError `config.missing`, in the kubelet's words, for an object or key that is not there and not optional.
 */
export function declaredEnv(container: Container, facts: EnvFacts): readonly EnvVar[] {
  const given = new Map<string, string>();
  for (const source of container.envFrom) {
    for (const [key, value] of allKeys(source, facts)) given.set(`${source.prefix}${key}`, value);
  }
  return expandEnv(container.env, given, (source) => valueOf(source, container, facts));
}

function allKeys({ kind, object, optional }: EnvFrom, facts: EnvFacts): readonly (readonly [string, string])[] {
  if (kind === 'configMap')
    return Object.entries(facts.configMaps.get(object)?.data ?? missing(optional, 'configmap', object));
  const { data } = facts.secrets.get(object) ?? { data: missing(optional, 'secret', object) };
  return Object.entries(data).map(([key, value]) => [key, decoded(value)]);
}

function missing(optional: boolean, kind: 'configmap' | 'secret', name: string): Readonly<Record<string, string>> {
  if (optional) return {};
  throw new MinirtError('config.missing', `${kind} ${JSON.stringify(name)} not found`, {
    hint: `bring it with \`minirt apply -f FILE\`; the container is tried again by itself`,
  });
}

/** undefined: what is optional is not there, and neither is the variable then. */
function valueOf(source: EnvSource, container: Container, facts: EnvFacts): string | undefined {
  switch (source.kind) {
    case 'configMapKey':
    case 'secretKey':
      return keyOf(source, facts);
    case 'fileKey':
      return lineOf(source, facts);
    case 'field':
      return podField(source.path, facts);
    case 'resource': {
      const of = source.container ?? container.name;
      const asked = facts.pod.containers.find(({ name }) => name === of);
      if (asked === undefined) throw new MinirtError('config.missing', `container ${of} not found`);
      return resourceValue(asked, source, facts.node);
    }
    default:
      return source satisfies never;
  }
}

function keyOf(source: Extract<EnvSource, { object: string }>, facts: EnvFacts): string | undefined {
  const { kind, object, key, optional } = source;
  const isMap = kind === 'configMapKey';
  const found = isMap ? facts.configMaps.get(object) : facts.secrets.get(object);
  const data = found?.data ?? missing(optional, isMap ? 'configmap' : 'secret', object);
  if (Object.hasOwn(data, key)) return isMap ? data[key] : decoded(data[key] ?? '');
  if (optional) return undefined;
  const where = `${isMap ? 'ConfigMap' : 'Secret'} ${facts.pod.namespace}/${object}`;
  throw new MinirtError('config.missing', `couldn't find key ${key} in ${where}`);
}

/** The kubelet reads a file anew for every variable (kubelet_pods.go: makeEnvironmentVariables). */
function lineOf(source: Extract<EnvSource, { kind: 'fileKey' }>, { files }: EnvFacts): string | undefined {
  const text = files.get(fileOf(source));
  const value = text === undefined ? undefined : parseEnvFile(text).get(source.key);
  if (value !== undefined || source.optional) return value;
  const where = `file ${source.path} of volume ${source.volume}`;
  const why = text === undefined ? `${where} is not there` : `couldn't find key ${source.key} in ${where}`;
  throw new MinirtError('config.missing', why);
}

/** A field of the pod as text (pkg/fieldpath: ExtractFieldPathAsString; kubelet_pods.go: podFieldSelectorRuntimeValue). */
export function podField(
  path: string,
  { pod, uid, ip = '', node }: Omit<EnvFacts, 'configMaps' | 'secrets' | 'files'>,
): string {
  const { name, namespace, labels, annotations } = pod;
  const known = metadataField(path, { name, namespace, uid, labels, annotations });
  if (known !== undefined) return known;
  switch (path) {
    case 'metadata.labels':
      return mapText(labels);
    case 'metadata.annotations':
      return mapText(annotations);
    case 'spec.nodeName':
      return node.name;
    case 'spec.serviceAccountName':
      return pod.object.spec?.serviceAccountName ?? 'default';
    case 'status.hostIP':
    case 'status.hostIPs':
      return node.ip;
    case 'status.podIP':
    case 'status.podIPs':
      return ip;
    default:
      throw new MinirtError('internal', `read field: ${path}: not one that the manifest reader lets through`);
  }
}

/** A field of a pod's metadata that is one value; undefined for any other path. */
export function metadataField(
  path: string,
  metadata: Pick<Pod, 'name' | 'namespace' | 'labels' | 'annotations'> & { readonly uid: string },
): string | undefined {
  const [, map, key = ''] = /^metadata\.(labels|annotations)\['(.*)'\]$/s.exec(path) ?? [];
  if (map === 'labels' || map === 'annotations') return own(metadata[map], key);
  switch (path) {
    case 'metadata.name':
      return metadata.name;
    case 'metadata.namespace':
      return metadata.namespace;
    case 'metadata.uid':
      return metadata.uid;
    default:
      return undefined;
  }
}

/** A whole map, one sorted line each (pkg/fieldpath: FormatMap). */
function mapText(map: Readonly<Record<string, string>>): string {
  const keys = Object.keys(map).toSorted();
  return keys.map((key) => `${key}=${JSON.stringify(map[key])}`).join('\n');
}

/** Limits that are not set are those of the node, but none of huge pages; requests that are not set are none (pkg/api/v1/resource). */
export function resourceValue(
  { resources }: Pick<Container, 'resources'>,
  { resource, divisor }: { readonly resource: string; readonly divisor: string },
  node: Node,
): string {
  const dot = resource.indexOf('.');
  const name = resource.slice(dot + 1);
  const limit = resources.limits[name];
  const set = resource.startsWith('limits.') ? limit : (resources.requests[name] ?? limit);
  if (set !== undefined) return divided(nanos(set), divisor);
  if (!resource.startsWith('limits.')) return '0';
  const whole = new Map([
    ['cpu', node.cpus],
    ['memory', node.memory],
    ['ephemeral-storage', node.storage],
  ]);
  return divided(units(whole.get(name) ?? 0), divisor);
}

function own(map: Readonly<Record<string, string>>, key: string): string {
  return Object.hasOwn(map, key) ? (map[key] ?? '') : '';
}

function decoded(base64: string): string {
  return Buffer.from(base64, 'base64').toString('utf8');
}
