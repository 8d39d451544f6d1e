import { setTimeout as delay } from 'node:timers/promises';
import type { V1Pod } from '../manifest/pod.ts';
import { type PodView, findPod, listPods, readJournal } from '../pod/view.ts';
import { indexDir } from '../state/paths.ts';
import { Changes } from './changes.ts';
import { History } from './history.ts';
import { say } from './io.ts';
import { viewOrNothing } from './log/instance.ts';
import { table } from './render/columns.ts';
import { podHeading, podRow } from './render/pod-row.ts';
import { parseSelector } from './selector.ts';
import { podEntriesUntilGone } from './stream.ts';
import { type Context, notYet, usage } from './verb.ts';
import type { GetOptions } from './verbs/get.ts';

/** `get pods -w`: what is, then every change. With names it ends when those pods are gone, else at an interrupt. */
export async function watchPods(context: Context, names: readonly string[], options: GetOptions): Promise<number> {
  if (options.output === 'yaml') throw usage('-w prints a table, names or, with -o json, one document per line');
  const how = { print: printer(context, options), fromStart: options.output === 'json' };
  if (names.length > 0) {
    const { roots, namespace } = context;
    const views = await Promise.all(names.map((name) => findPod(roots, namespace, name)));
    await Promise.all(views.map((view) => watchPod(context, view, how)));
    return 0;
  }
  if (context.allNamespaces) throw notYet('-w with -A');
  await watchNamespace(context, options, how);
  return 0;
}

type Print = (object: V1Pod) => void;

interface How {
  readonly print: Print;
  /** Whether to tell what was before the watch began. */
  readonly fromStart: boolean;
}

async function watchNamespace(context: Context, options: GetOptions, how: How): Promise<void> {
  const { roots, namespace, io } = context;
  const test = options.selector === undefined ? () => true : parseSelector(options.selector);
  using changes = new Changes();
  const watched = new Map<string, Promise<void>>();
  for (;;) {
    // The namespace's folder comes with its first pod; until then its parents are looked at.
    if (!changes.add(indexDir(roots, namespace)) && !changes.add(indexDir(roots, '.'))) changes.add(roots.state);
    for (const view of await listPods(roots, namespace)) {
      if (watched.has(view.uid) || !test(view.pod.labels)) continue;
      watched.set(
        view.uid,
        watchPod(context, view, how).finally(() => watched.delete(view.uid)),
      );
    }
    await Promise.race([changes.next(io.signal), failureOf(watched)]);
  }
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
      how.print(history.show());
      continue;
    }
    if (result.done === true) break;
    const entry = result.value;
    if (live && history.endsBefore(entry)) how.print(history.show());
    history.apply(entry);
    live ||= entry.seq >= known;
    if (live && history.held && (await current())) how.print(history.show());
    next = entries.next();
  }
  if (history.held) how.print(history.show());
}

function quiet(): Promise<undefined> {
  return delay(QUIET_MS, undefined);
}

function printer({ io }: Context, options: GetOptions): Print {
  const { output } = options;
  if (output === 'json') return (object) => io.stdout.write(`${JSON.stringify(object)}\n`);
  if (output === 'name')
    return (object) => {
      say(io, `pod/${object.metadata?.name ?? ''}`);
    };
  const columns = { wide: output === 'wide', namespace: false };
  let heading = options.headers === false ? undefined : podHeading(columns);
  return (object) => {
    io.stdout.write(table(heading, [podRow(object, columns, new Date())]));
    heading = undefined;
  };
}
