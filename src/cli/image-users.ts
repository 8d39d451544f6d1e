import { MinirtError } from '../base/errors.ts';
import { normaliseReference } from '../image/reference.ts';
import type { Guard, Image } from '../image/store.ts';
import { type PodView, listPods } from '../pod/view.ts';
import type { Roots } from '../state/paths.ts';

/**
 * Refuses that a pod loses its image, in its containers or its volumes. `force` lets those go whose pods have ended.
 * The guard throws MinirtError image.in-use.
 */
export function podGuard(roots: Roots, force: boolean): Guard {
  return async (image, { names, isGone }) => {
    const users = (await listPods(roots, undefined)).filter((view) => uses(view, image, isGone ? undefined : names));
    const user = users.find(isLive) ?? (force ? undefined : users[0]);
    if (user === undefined) return;
    const shown = names[0] ?? image.id;
    const pod = `${user.namespace}/${user.name}`;
    const way = isLive(user) ? 'cannot be forced' : 'must be forced';
    const state = isLive(user) ? 'running' : 'ended';
    throw new MinirtError(
      'image.in-use',
      `remove image: ${shown}: conflict (${way}): it is used by ${state} pod ${pod}`,
      {
        hint: `\`minirt delete pod ${user.name} -n ${user.namespace}\` first`,
        details: { pods: users.map((view) => `${view.namespace}/${view.name}`) },
      },
    );
  };
}

/** Whether a pod needs an image, or one of some names of it. */
function uses({ pod, record }: PodView, image: Image, names: readonly string[] | undefined): boolean {
  const references = [
    ...pod.containers.map((container) => container.image),
    ...pod.volumes.flatMap((volume) => (volume.kind === 'image' ? [volume.reference] : [])),
  ];
  const wanted = references.flatMap(fullNames);
  if (names !== undefined) return names.some((name) => wanted.includes(name));
  const known = new Set([...image.names, image.id, image.digest]);
  const isWanted = (name: string): boolean => known.has(name) || name.endsWith(`@${image.digest}`);
  return wanted.some(isWanted) || record.containers.some((container) => container.image?.id === image.id);
}

/** The names by which a reference finds its image; a manifest may say what is none. */
function fullNames(reference: string): readonly string[] {
  if (/^[a-f0-9]{64}$/.test(reference)) return [`sha256:${reference}`];
  try {
    return [reference, normaliseReference(reference)];
  } catch {
    return [reference];
  }
}

function isLive({ record }: PodView): boolean {
  return record.ended === undefined;
}
