import { isMinirtError } from '../../base/errors.ts';
import { type PodView, findPod, readJournal } from '../../pod/view.ts';
import { removePod } from '../../supervisor/registry.ts';
import { type GraceOptions, endPod, graceOf, graceOptions, requestEnd } from '../ending.ts';
import { say, tell } from '../io.ts';
import { viewOrNothing } from '../log/instance.ts';
import type { ObjectKind } from '../../manifest/objects.ts';
import { readManifest } from '../manifests.ts';
import { deleteObjects, select } from '../objects.ts';
import { endingLines } from '../render/ending.ts';
import { type Selection, forEach, selectPods, selectorOptions } from '../select.ts';
import { type Context, type Verb, usage } from '../verb.ts';
import { parseTarget } from '../words.ts';

export interface DeleteOptions extends GraceOptions, Selection {
  readonly filename?: string;
  readonly all?: boolean;
  readonly force?: boolean;
  readonly wait?: string;
  readonly ignoreNotFound?: boolean;
  readonly output?: 'name';
}

export const verb: Verb<DeleteOptions> = {
  arguments: '[what...]',
  options: [
    { flags: '-f, --filename <file>', text: 'what a manifest has' },
    { flags: '--all', text: 'all of the namespace' },
    ...selectorOptions,
    ...graceOptions,
    { flags: '--force', text: 'the shortest grace period, and do not ask whether that is wise' },
    { flags: '--wait [bool]', text: 'wait until nothing of the pod is left (true)', choices: ['true', 'false'] },
    { flags: '--ignore-not-found', text: 'a pod that does not exist is no failure' },
    { flags: '-o, --output <format>', text: 'name', choices: ['name'] },
  ],
  notes:
    'What: `pod NAME…`, `pod/NAME…`, `configmap NAME…`, `secret NAME…`, `pvc NAME…`, or as docker has it, `minirt rm NAME…`.',
  async run(context, { words, options }) {
    const { io } = context;
    if (options.force === true) {
      tell(io, 'warning: with --force a pod gets no time to end by itself; its grace period becomes 1 s');
    }
    if (options.filename !== undefined) return deleteManifest(context, words, options.filename, options);
    const { kind, names } = parseTarget(words);
    if (kind === 'events') throw usage('events cannot be deleted');
    if (kind !== 'pods') return deleteNamedObjects(context, kind, names, options);
    return deletePods(context, namesOf(context, names, options), options);
  },
};

type Named = { readonly namespace: string; readonly name: string };

function namesOf({ namespace }: Context, names: readonly string[], options: DeleteOptions): readonly Named[] | 'all' {
  if (wantsAll(names, options)) return 'all';
  return names.map((name) => ({ namespace, name }));
}

/** Whether all are meant, or all that are selected; a usage error when nothing is, or both. */
function wantsAll(names: readonly string[], { all, selector, fieldSelector }: DeleteOptions): boolean {
  const many = all === true || selector !== undefined || fieldSelector !== undefined;
  if (many && names.length > 0) throw usage('name cannot be provided when a selector or --all is specified');
  if (!many && names.length === 0) {
    throw usage('resource(s) were provided, but no name was specified', 'name them, or say --all');
  }
  return many;
}

/** Pods first: what they use goes after them. */
async function deleteManifest(
  context: Context,
  words: readonly string[],
  file: string,
  options: DeleteOptions,
): Promise<number> {
  if (words.length > 0) throw usage('name pods or give their manifest, not both');
  const { pods, objects } = await readManifest(context, file, { validate: 'ignore' });
  const status = await deletePods(context, pods, options);
  await deleteObjects(context, objects, options);
  return status;
}

async function deleteNamedObjects(
  context: Context,
  kind: ObjectKind,
  names: readonly string[],
  options: DeleteOptions,
): Promise<number> {
  const { namespace } = context;
  const objects = wantsAll(names, options)
    ? await select(context, kind, [], options)
    : names.map((name) => ({ kind, namespace, name }));
  if (objects.length === 0) tell(context.io, 'No resources found');
  await deleteObjects(context, objects, options);
  return 0;
}

/** Deletes pods at the same time; one that cannot be deleted does not keep the others. */
export async function deletePods(
  context: Context,
  names: readonly Named[] | 'all',
  options: DeleteOptions,
): Promise<number> {
  if (names === 'all') {
    const views = await selectPods(context, [], options);
    if (views.length === 0) tell(context.io, 'No resources found');
    await forEach(context, views, (view) => deletePod(context, view, options));
    return 0;
  }
  await forEach(context, names, async ({ namespace, name }) => {
    try {
      await deletePod(context, await findPod(context.roots, namespace, name), options);
    } catch (error) {
      if (options.ignoreNotFound !== true || !isMinirtError(error, 'pod.not-found')) throw error;
    }
  });
  return 0;
}

async function deletePod(context: Context, view: PodView, options: DeleteOptions): Promise<void> {
  const { io, roots } = context;
  const grace = options.force === true ? 0 : graceOf(options);
  const request = { grace, remove: true, now: false };
  const forced = options.force === true ? 'force deleted' : 'deleted';
  const line =
    options.output === 'name' ? `pod/${view.name}` : `pod "${view.name}" ${forced} from ${view.namespace} namespace`;
  if (view.record.ended === undefined && options.wait === 'false') {
    await requestEnd(context, view, request);
    return say(io, line);
  }
  if (view.record.ended === undefined) await endPod(context, view, request);
  else {
    const journal = await readJournal(view.paths.journal);
    for (const ending of endingLines(journal, view.pod.containers)) tell(io, ending);
  }
  // Its owner removes it, unless it had ended before it heard of the wish.
  const left = await viewOrNothing(roots, view.uid);
  if (left?.record.ended !== undefined) await removePod(roots, left);
  say(io, line);
}
