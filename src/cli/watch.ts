import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { V1Pod } from '../manifest/pod.ts';
import { type PodView, listNamespaces, listPods, readJournal } from '../pod/view.ts';
import { type Roots, indexDir } from '../state/paths.ts';
import { Changes } from './changes.ts';
import { History } from './history.ts';
import { viewOrNothing } from './log/instance.ts';
import { type Output, podStream } from './output.ts';
import { type Selection, parseSelection, selectPods } from './select.ts';
import { podEntriesUntilGone } from './stream.ts';
import type { Context } from './verb.ts';

export interface WatchOptions extends Selection {
  readonly output: Output;
  readonly headers?: boolean;
}

/** `get pods -w`: what is, then every change. With names it ends when those pods are gone, else at an interrupt. */
export async function watchPods(context: Context, names: readonly string[], options: WatchOptions): Promise<number> {
  const { fieldSelector, selector, output } = options;
  const stream = podStream(context.io, output, { ...options, namespaces: context.allNamespaces });
  const hasFields = parseSelection(fieldSelector === undefined ? {} : { fieldSelector });
  const print = async (object: V1Pod): Promise<void> => {
    if (hasFields(object)) await stream(object);
  };
  const how = { print, fromStart: output.kind !== 'table' && output.kind !== 'name' };
  const watch = (view: PodView): Promise<void> => watchPod(context, view, how);
  if (names.length > 0) await Promise.all((await selectPods(context, names, options)).map(watch));
  else await withEachPod(context, selector === undefined ? {} : { selector }, watch);
  return 0;
}

interface How {
  readonly print: (object: V1Pod) => Promise<void>;
  /** Whether to tell what was before the watch began. */
  readonly fromStart: boolean;
}

/** Does something with every selected pod of the namespace, or of all: those there are, and those that come. */
export async function withEachPod(
  context: Context,
  selection: Selection,
  act: (view: PodView) => Promise<void>,
): Promise<never> {
  const { roots, io, allNamespaces } = context;
  const namespace = allNamespaces ? undefined : context.namespace;
  const isSelected = parseSelection(selection);
  using changes = new Changes();
  const watched = new Map<string, Promise<void>>();
  for (;;) {
    await watchFolders(changes, roots, namespace);
    for (const view of await listPods(roots, namespace)) {
      if (watched.has(view.uid) || !isSelected(view.object)) continue;
      watched.set(
        view.uid,
        act(view).finally(() => watched.delete(view.uid)),
      );
    }
    await Promise.race([changes.next(io.signal), failureOf(watched)]);
  }
}

/** The folders in which a name appears when a pod comes. */
async function watchFolders(changes: Changes, roots: Roots, namespace: string | undefined): Promise<void> {
  watchWhenThere(changes, indexDir(roots, namespace ?? '.'));
  if (namespace !== undefined) return;
  for (const one of await listNamespaces(roots)) changes.add(indexDir(roots, one));
}

/** Until a folder is there, its parent is looked at; it may come in between. */
function watchWhenThere(changes: Changes, folder: string): void {
  if (changes.add(folder)) return;
  watchWhenThere(changes, dirname(folder));
  changes.add(folder);
}

/** Rejects when one of them does; never resolves. */
function failureOf(watched: ReadonlyMap<string, Promise<void>>): Promise<never> {
  return new Promise((_resolve, reject) => {
    for (const promise of watched.values()) promise.catch(reject);
  });
}

/** Nothing further came for this long, in ms: a change that is held back is complete. */
const QUIET_MS = 20;

/** Prints a pod whenever it looks different: from its very first state on, or from now on. */
async function watchPod(context: Context, view: PodView, how: How): Promise<void> {
  const history = new History(view);
  const known = how.fromStart ? 0 : ((await readJournal(view.paths.journal)).at(-1)?.seq ?? 0);
  const current = async (): Promise<boolean> => history.confirm((await viewOrNothing(context.roots, view.uid))?.object);
  const entries = podEntriesUntilGone(context, view);
  let live = known === 0;
  for (let next = entries.next(); ;) {
    const result = history.held && live ? await Promise.race([next, quiet()]) : await next;
    if (result === undefined) {
      await current();
      await how.print(history.show());
      continue;
    }
    if (result.done === true) break;
    const entry = result.value;
    if (live && history.endsBefore(entry)) await how.print(history.show());
    history.apply(entry);
    live ||= entry.seq >= known;
    if (live && history.held && (await current())) await how.print(history.show());
    next = entries.next();
  }
  if (history.held) await how.print(history.show());
}

function quiet(): Promise<undefined> {
  return delay(QUIET_MS, undefined);
}
