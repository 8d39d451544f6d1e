import { type ErrorCode, MinirtError, messageOf } from '../base/errors.ts';
import { type PodView, findPod, listPods } from '../pod/view.ts';
import { renderFailure } from './failure.ts';
import { parseSelector } from './selector.ts';
import { type Context, type OptionSpec, usage } from './verb.ts';

export const selectorOption: OptionSpec = {
  flags: '-l, --selector <labels>',
  text: 'only pods with these labels, as app=web,tier!=db',
};

/** Pods that a verb is about: the named ones, or all that the selector lets through. Throws for a name nobody has. */
export async function selectPods(
  context: Context,
  names: readonly string[],
  selector: string | undefined,
): Promise<readonly PodView[]> {
  const { roots, namespace, allNamespaces } = context;
  if (names.length > 0) {
    if (selector !== undefined) throw usage('name pods or select them, not both');
    if (allNamespaces) throw usage('a resource cannot be retrieved by name across all namespaces');
    return Promise.all(names.map((name) => findPod(roots, namespace, name)));
  }
  const pods = await listPods(roots, allNamespaces ? undefined : namespace);
  const test = selector === undefined ? () => true : parseSelector(selector);
  return pods.filter((view) => test(view.pod.labels));
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
  const results = await Promise.allSettled(items.map(act));
  const failures = results.filter((result) => result.status === 'rejected').map((result): unknown => result.reason);
  const last = failures.pop();
  for (const failure of failures) context.io.stderr.write(renderFailure(failure, { json: false, stack: false }));
  if (last instanceof MinirtError) throw last;
  if (last !== undefined) throw new MinirtError('internal' satisfies ErrorCode, messageOf(last), { cause: last });
}
