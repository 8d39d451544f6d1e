/** What a StatefulSet makes of its template (pkg/controller/statefulset: newStatefulSetPod, updateStorage). Pure. */
import { type Template, textAt } from './kinds.ts';
import type { Entry, MapNode, Node, Path } from './node.ts';

/** A claim of a StatefulSet's pod, as if it had been written by itself. */
export interface MadeClaim {
  readonly root: MapNode;
  /** Where its template stands. */
  readonly path: Path;
}

/** The set's first pod, `web-0`, with a volume for each of its claims. */
export function podOfSet(set: MapNode, template: Template): Template {
  const { root } = template;
  // Its name is missed where the pod's is looked for.
  if (textAt(set, 'metadata', 'name') === '') return template;
  const metadata = mapAt(root, 'metadata');
  const name = podName(set);
  const ordinal = name.slice(name.lastIndexOf('-') + 1);
  const labels = withTexts(mapAt(metadata, 'labels'), {
    'apps.kubernetes.io/pod-index': ordinal,
    'statefulset.kubernetes.io/pod-name': name,
  });
  const named = withNode(withTexts(metadata, { name }), 'labels', labels);
  const spec = root.entries.get('spec')?.node;
  const whole = withNode(root, 'metadata', named);
  if (spec?.kind !== 'map') return { ...template, root: whole };
  return { ...template, root: withNode(whole, 'spec', withVolumes(spec, set)) };
}

/** The claims of its first pod, `data-web-0`. */
export function claimsOfSet(set: MapNode): readonly MadeClaim[] {
  return templates(set).map(({ node, path }) => {
    const metadata = mapAt(node, 'metadata');
    const selected = mapAt(mapAt(mapAt(set, 'spec'), 'selector'), 'matchLabels');
    const labels = mapAt(metadata, 'labels');
    const all: MapNode = { ...labels, entries: new Map([...labels.entries, ...selected.entries]) };
    const namespace = textAt(set, 'metadata', 'namespace');
    const template = textAt(node, 'metadata', 'name');
    const named = withTexts(metadata, {
      // Without a name of its own it has none, which is reported where it stands.
      ...(template === '' ? {} : { name: claimName(template, set) }),
      ...(namespace === '' ? {} : { namespace }),
    });
    const labelled = all.entries.size === 0 ? named : withNode(named, 'labels', all);
    const root = withTexts(node, { apiVersion: 'v1', kind: 'PersistentVolumeClaim' });
    return { root: withNode(root, 'metadata', labelled), path };
  });
}

function podName(set: MapNode): string {
  const start = mapAt(mapAt(set, 'spec'), 'ordinals').entries.get('start')?.node;
  const first = start?.kind === 'scalar' && typeof start.value === 'number' ? start.value : 0;
  return `${textAt(set, 'metadata', 'name')}-${first}`;
}

function claimName(template: string, set: MapNode): string {
  return `${template}-${podName(set)}`;
}

function templates(set: MapNode): readonly { readonly node: MapNode; readonly path: Path }[] {
  const list = mapAt(set, 'spec').entries.get('volumeClaimTemplates')?.node;
  if (list?.kind !== 'list') return [];
  return list.items.flatMap((node, i) =>
    node.kind === 'map' ? [{ node, path: ['spec', 'volumeClaimTemplates', i] }] : [],
  );
}

/** A claim takes the place of a volume of its name. */
function withVolumes(spec: MapNode, set: MapNode): MapNode {
  const claims = templates(set).filter(({ node }) => textAt(node, 'metadata', 'name') !== '');
  if (claims.length === 0) return spec;
  const made = claims.map(({ node }): MapNode => {
    const name = textAt(node, 'metadata', 'name');
    const claim = withTexts(emptyMap(node.at), { claimName: claimName(name, set) });
    return withNode(withTexts(emptyMap(node.at), { name }), 'persistentVolumeClaim', claim);
  });
  const names = new Set(made.map((volume) => textAt(volume, 'name')));
  const written = spec.entries.get('volumes')?.node;
  const others = written?.kind === 'list' ? written.items.filter((volume) => !names.has(textAt(volume, 'name'))) : [];
  return withNode(spec, 'volumes', { kind: 'list', items: [...others, ...made], at: written?.at ?? spec.at });
}

function mapAt(map: MapNode, name: string): MapNode {
  const node = map.entries.get(name)?.node;
  return node?.kind === 'map' ? node : emptyMap(map.at);
}

function emptyMap(at: number): MapNode {
  return { kind: 'map', entries: new Map(), at };
}

function withTexts(map: MapNode, texts: Readonly<Record<string, string>>): MapNode {
  const added = Object.entries(texts).map(([name, value]): [string, Entry] => {
    const at = map.entries.get(name)?.node.at ?? map.at;
    return [name, { keyAt: map.entries.get(name)?.keyAt ?? at, node: { kind: 'scalar', value, at } }];
  });
  return { ...map, entries: new Map([...map.entries, ...added]) };
}

function withNode(map: MapNode, name: string, node: Node): MapNode {
  const keyAt = map.entries.get(name)?.keyAt ?? node.at;
  return { ...map, entries: new Map(map.entries).set(name, { keyAt, node }) };
}
