/** What an object of a manifest is, judged by its apiVersion and kind alone. Pure. */
import { nearest } from '../base/nearest.ts';
import { type Entry, type MapNode, type Node, type Path, fromValue, toValue, typeName } from './node.ts';
import type { ObjectKind } from './objects.ts';
import type { Report } from './problem.ts';

export type Kind = 'pod' | 'list' | ObjectKind | 'workload' | 'other' | 'broken';

const CORE: Readonly<Record<string, Kind>> = {
  Pod: 'pod',
  ConfigMap: 'ConfigMap',
  Secret: 'Secret',
  PersistentVolumeClaim: 'PersistentVolumeClaim',
  List: 'list',
  PodList: 'list',
  ConfigMapList: 'list',
  SecretList: 'list',
  PersistentVolumeClaimList: 'list',
};

/** Where the kinds that make pods have the template of one. */
const TEMPLATES: Readonly<Record<string, readonly string[]>> = {
  'v1/ReplicationController': ['spec', 'template'],
  'apps/v1/Deployment': ['spec', 'template'],
  'apps/v1/StatefulSet': ['spec', 'template'],
  'apps/v1/DaemonSet': ['spec', 'template'],
  'apps/v1/ReplicaSet': ['spec', 'template'],
  'batch/v1/Job': ['spec', 'template'],
  'batch/v1/CronJob': ['spec', 'jobTemplate', 'spec', 'template'],
};

/** Reports when apiVersion or kind is missing or nearly right. */
export function kindOf(root: MapNode, report: Report): Kind {
  let broken = false;
  for (const field of ['apiVersion', 'kind']) {
    const node = root.entries.get(field)?.node ?? fromValue(null);
    const value = toValue(node);
    if (typeof value === 'string' && value !== '') continue;
    broken = true;
    if (value === null || value === '') {
      const others = [...root.entries.keys()].filter((key) => key !== field);
      const alike = nearest(field, others);
      report.problem([field], `Required value${alike === undefined ? '' : `; is ${JSON.stringify(alike)} meant?`}`);
    } else report.problem([field], `Invalid value: "${typeName(node)}": must be of type string`);
  }
  if (broken) return 'broken';
  const [version, kind] = [textAt(root, 'apiVersion'), textAt(root, 'kind')];
  const core = version === 'v1' && Object.hasOwn(CORE, kind) ? CORE[kind] : undefined;
  if (core !== undefined) return core;
  if (Object.hasOwn(TEMPLATES, `${version}/${kind}`)) return 'workload';
  const meant = Object.keys(CORE).find((one) =>
    [one.toLowerCase(), `${one.toLowerCase()}s`].includes(kind.toLowerCase()),
  );
  if (meant === undefined) return 'other';
  const at = version === 'v1' ? 'kind' : 'apiVersion';
  const known = `minirt knows kind "${meant}" in version "v1"`;
  report.problem([at], `no matches for kind ${JSON.stringify(kind)} in version ${JSON.stringify(version)}; ${known}`);
  return 'broken';
}

export interface Template {
  /** As if it had been written as a Pod, under the name of what makes such pods. */
  readonly root: MapNode;
  /** Where it stands. */
  readonly path: Path;
}

/** The one pod of a Deployment and its like; undefined when there is no template to read. */
export function templateOf(workload: MapNode): Template | undefined {
  const path = TEMPLATES[`${textAt(workload, 'apiVersion')}/${textAt(workload, 'kind')}`] ?? [];
  let template: Node | undefined = workload;
  for (const step of path) template = template?.kind === 'map' ? template.entries.get(step)?.node : undefined;
  if (template?.kind !== 'map') return undefined;
  const metadata = template.entries.get('metadata') ?? { keyAt: template.at, node: emptyMap(template.at) };
  const written = metadata.node.kind === 'map' ? metadata.node.entries : new Map<string, Entry>();
  const own = workload.entries.get('metadata')?.node;
  const named = new Map(written);
  for (const field of ['name', 'namespace']) {
    const entry = own?.kind === 'map' ? own.entries.get(field) : undefined;
    if (entry !== undefined) named.set(field, entry);
  }
  const given = metadata.node.kind === 'map' ? { ...metadata.node, entries: named } : metadata.node;
  const entries = new Map(template.entries);
  for (const [field, value] of [
    ['apiVersion', 'v1'],
    ['kind', 'Pod'],
  ] as const) {
    entries.set(field, { keyAt: template.at, node: { kind: 'scalar', value, at: template.at } });
  }
  entries.set('metadata', { keyAt: metadata.keyAt, node: given });
  return { root: { ...template, entries }, path };
}

function emptyMap(at: number): MapNode {
  return { kind: 'map', entries: new Map(), at };
}

/** The text at a path of fields; empty when there is none. */
export function textAt(root: Node, ...path: readonly string[]): string {
  let node: Node | undefined = root;
  for (const name of path) node = node?.kind === 'map' ? node.entries.get(name)?.node : undefined;
  return node?.kind === 'scalar' && typeof node.value === 'string' ? node.value : '';
}
