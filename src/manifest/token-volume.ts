import type { Entry, MapNode, Node, Path } from './node.ts';
import { textAt } from './kinds.ts';
import type { Report } from './problem.ts';

/** What an API server adds to pods whose manifest does not ask for it (plugin/pkg/admission/serviceaccount). */
const ADDED = /^kube-api-access-/;

/**
 * A pod as it was printed by a cluster has a volume with a token for the API server. Here an empty folder stands for it,
 * with a notice: programs look for the token's file and go on without one.
 */
export function withoutTokenVolume(pod: MapNode, report: Report): MapNode {
  const spec = pod.entries.get('spec')?.node;
  const volumes = spec?.kind === 'map' ? spec.entries.get('volumes')?.node : undefined;
  if (spec?.kind !== 'map' || volumes?.kind !== 'list') return pod;
  const items = volumes.items.map((volume, i) => placeholder(volume, ['spec', 'volumes', i], report));
  if (items.every((item, i) => item === volumes.items[i])) return pod;
  return withEntry(pod, 'spec', withEntry(spec, 'volumes', { ...volumes, items }));
}

function placeholder(volume: Node, path: Path, report: Report): Node {
  if (volume.kind !== 'map' || !volume.entries.has('projected') || !ADDED.test(textAt(volume, 'name'))) return volume;
  report.notice(path, 'an empty folder stands for it: there is no API server to issue a token', volume.at);
  const entries = [...volume.entries].map(([name, entry]): [string, Entry] => {
    if (name !== 'projected') return [name, entry];
    return ['emptyDir', { keyAt: entry.keyAt, node: { kind: 'map', entries: new Map(), at: entry.node.at } }];
  });
  return { ...volume, entries: new Map(entries) };
}

function withEntry(map: MapNode, name: string, node: Node): MapNode {
  const keyAt = map.entries.get(name)?.keyAt ?? map.at;
  return { ...map, entries: new Map(map.entries).set(name, { keyAt, node }) };
}
