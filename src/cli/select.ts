import { type ErrorCode, MinirtError, messageOf } from '../base/errors.ts';
import type { V1Pod } from '../manifest/pod.ts';
import { type PodView, findDeleted, findPod, listDeleted, listPods } from '../pod/view.ts';
import { fieldSelectorOption, parseFieldSelector, podFields } from './field-selector.ts';
import { renderFailure } from './failure.ts';
import { parseSelector } from './selector.ts';
import { type Context, type OptionSpec, usage } from './verb.ts';

export const selectorOptions: readonly OptionSpec[] = [
  { flags: '-l, --selector <labels>', text: 'only pods with these labels, as app=web,tier!=db' },
  fieldSelectorOption,
];

export const deletedOption: OptionSpec = { flags: '--deleted', text: 'pods that were deleted (the last 20 are kept)' };

/** What {@link selectorOptions} and {@link deletedOption} say. */
export interface Selection {
  readonly selector?: string;
  readonly fieldSelector?: string;
  readonly deleted?: boolean;
}

/** Whether a pod is among the selected ones; throws a usage error for a selector that makes no sense. */
export function parseSelection({ selector, fieldSelector }: Selection): (object: V1Pod) => boolean {
  const labels = selector === undefined ? () => true : parseSelector(selector);
  const fields = parseFieldSelector(fieldSelector, podFields);
  return (object) => labels(object.metadata?.labels ?? {}) && fields(object);
}

/** Pods that a verb is about: the named ones, or all that are selected. Throws for a name nobody has. */
export async function selectPods(
  context: Context,
  names: readonly string[],
  selection: Selection = {},
): Promise<readonly PodView[]> {
  const { roots, namespace, allNamespaces } = context;
  if (names.length > 0) {
    if (selection.selector !== undefined || selection.fieldSelector !== undefined) {
      throw usage('name pods or select them, not both');
    }
    if (allNamespaces) throw usage('a resource cannot be retrieved by name across all namespaces');
    const find = selection.deleted === true ? findDeleted : findPod;
    return Promise.all(names.map((name) => find(roots, namespace, name)));
  }
  const list = selection.deleted === true ? listDeleted : listPods;
  const pods = await list(roots, allNamespaces ? undefined : namespace);
  const isSelected = parseSelection(selection);
  return pods.filter(({ object }) => isSelected(object));
}

/** {@link selectPods}, but names that nobody has do not keep those that are there from being shown: they fail afterwards. */
export async function showPods(
  context: Context,
  names: readonly string[],
  selection: Selection,
  show: (pods: readonly PodView[]) => Promise<void>,
): Promise<void> {
  if (names.length < 2) return show(await selectPods(context, names, selection));
  const results = await Promise.allSettled(names.map((name) => selectPods(context, [name], selection)));
  const found = results.flatMap((result) => (result.status === 'fulfilled' ? result.value : []));
  if (found.length > 0) await show(found);
  fail(context, results);
}

/**
 * Does something for each, all at once, and lets the others finish when one fails. Failures are printed as they come;
 * the last line of defence is one error for all, so that the exit status is that of the worst.
 */
export async function forEach<T>(
  context: Context,
  items: readonly T[],
  act: (item: T) => Promise<void>,
): Promise<void> {
  fail(context, await Promise.allSettled(items.map(act)));
}

/** Throws the last failure, if there is one; those before it are printed. */
function fail(context: Context, results: readonly PromiseSettledResult<unknown>[]): void {
  const failures = results.filter((result) => result.status === 'rejected').map((result): unknown => result.reason);
  const last = failures.pop();
  for (const failure of failures) context.io.stderr.write(renderFailure(failure, { json: false, stack: false }));
  if (last instanceof MinirtError) throw last;
  if (last !== undefined) throw new MinirtError('internal' satisfies ErrorCode, messageOf(last), { cause: last });
}
