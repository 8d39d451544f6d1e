import type { Container as V1Container } from 'kubernetes-types/core/v1.js';
import { MinirtError, isMinirtError } from '../../base/errors.ts';
import { openImageStore } from '../../image/store.ts';
import { DEFAULTED_POLICY } from '../../manifest/defaults.ts';
import { podFromObject } from '../../manifest/parse.ts';
import type { Pod, PullPolicy } from '../../manifest/pod.ts';
import { type PodView, findPod } from '../../pod/view.ts';
import { registerPod, removePod } from '../../supervisor/registry.ts';
import { endPod } from '../ending.ts';
import type { Context } from '../verb.ts';

export interface PrepareOptions {
  readonly name?: string;
  readonly replace?: boolean;
  readonly note: (line: string) => void;
}

/** Images that ship as recipes: those can be made here, without a registry. */
const RECIPES: readonly string[] = ['busybox', 'nginx', 'postgres', 'probe'];

/**
 * Fails, before anything is registered, when an image is not here and may not be pulled: it could only fail later, and less clearly.
 * Of those that will be pulled it says so when they could be made here.
 */
export async function checkImages(context: Context, pods: readonly Pod[], note: (line: string) => void): Promise<void> {
  const store = openImageStore(context.roots.root);
  const missing = new Set<string>();
  const pulled = new Set<string>();
  for (const { image, imagePullPolicy: policy } of pods.flatMap(({ containers }) => containers)) {
    if ((await store.find(image)) === undefined) (policy === 'Never' ? missing : pulled).add(image);
  }
  for (const image of pulled) {
    if (recipeFor(image) !== undefined) note(`image ${image} is not here and will be pulled; ${bringImage(image)}`);
  }
  if (missing.size === 0) return;
  throw new MinirtError('image.not-found', `find image: ${[...missing].join(', ')}: not in ${context.roots.root}`, {
    hint: [...new Set([...missing].map(bringImage))].join('; '),
    details: { images: [...missing] },
  });
}

/** The line that would bring an image. */
export function bringImage(image: string): string {
  const recipe = recipeFor(image);
  if (recipe !== undefined) return `\`minirt load --recipe ${recipe}\` makes it`;
  return `\`docker save ${image} | minirt load\`, or \`minirt load -i FILE\`, brings it`;
}

function recipeFor(image: string): string | undefined {
  return RECIPES.find((name) => new RegExp(`^((docker\\.io/)?library/)?${name}(:latest)?$`).test(image));
}

/** The pod with one pull policy for all that it runs, as if it were written so. */
export function withPullPolicy({ object, containers }: Pod, policy: PullPolicy): Pod {
  const { [DEFAULTED_POLICY]: defaulted = '', ...annotations } = object.metadata?.annotations ?? {};
  // Those of volumes stay.
  const still = defaulted.split(',').filter((one) => one !== '' && !containers.some(({ name }) => name === one));
  if (still.length > 0) annotations[DEFAULTED_POLICY] = still.join(',');
  const all = (list: readonly V1Container[]): V1Container[] =>
    list.map((container) => ({ ...container, imagePullPolicy: policy }));
  const { containers: main = [], initContainers, ...rest } = object.spec ?? {};
  const init = initContainers === undefined ? {} : { initContainers: all(initContainers) };
  const spec = { ...rest, ...init, containers: all(main) };
  return podFromObject({ ...object, metadata: { ...object.metadata, annotations }, spec });
}

/** The pod with annotations of minirt's own, in place of those that its manifest has. */
export function annotated({ object }: Pod, more: Readonly<Record<string, string>>): Pod {
  const annotations = { ...object.metadata?.annotations, ...more };
  return podFromObject({ ...object, metadata: { ...object.metadata, annotations } });
}

/** Registers a pod; an ended one of its name makes room, a running one only for --replace. */
export async function register(context: Context, pod: Pod, options: PrepareOptions): Promise<PodView> {
  const name = options.name ?? pod.name;
  const earlier = await findPod(context.roots, pod.namespace, name).catch((error: unknown) => {
    if (isMinirtError(error, 'pod.not-found')) return undefined;
    throw error;
  });
  if (earlier !== undefined) await makeRoom(context, earlier, options);
  return registerPod(context.roots, pod, options.name === undefined ? {} : { name: options.name });
}

async function makeRoom(context: Context, earlier: PodView, { replace, note }: PrepareOptions): Promise<void> {
  const { name } = earlier;
  if (earlier.record.ended !== undefined) {
    await removePod(context.roots, earlier);
    note(`pod "${name}" had ended (${earlier.record.ended.phase}) and is replaced`);
    return;
  }
  if (replace !== true) {
    throw new MinirtError('pod.exists', `pods "${name}" already exists`, {
      hint: `it is running: --replace ends it first, --name NAME runs this one beside it`,
    });
  }
  note(`pod "${name}" is running and is replaced`);
  await endPod(context, earlier, { grace: undefined, remove: true, now: false });
}
