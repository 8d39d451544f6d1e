import { type V1Event, eventAt, eventsOf } from '../../pod/events.ts';
import { findPod, listPods, readJournal } from '../../pod/view.ts';
import { tell } from '../io.ts';
import { table } from '../render/columns.ts';
import { asJson, asYaml } from '../render/document.ts';
import { EVENT_HEADING, eventRow } from '../render/event-row.ts';
import { podEntriesUntilGone } from '../stream.ts';
import { type Context, type Verb, notYet, usage } from '../verb.ts';
import { podName } from '../words.ts';
import type { JournalEntry } from '../../pod/journal-entry.ts';

export interface EventOptions {
  readonly output?: string;
  readonly watch?: boolean;
  readonly headers?: boolean;
  readonly for?: string;
  readonly deleted?: boolean;
}

export const verb: Verb<EventOptions> = {
  arguments: '[pod]',
  options: [
    { flags: '-o, --output <format>', text: 'json or yaml', choices: ['json', 'yaml'] },
    { flags: '-w, --watch', text: 'every event of one pod from its first on, as it comes; ends when the pod is gone' },
    { flags: '--for <pod>', text: 'the same as naming the pod' },
    { flags: '--no-headers', text: 'leave out the heading' },
    { flags: '--deleted', text: 'not yet supported', hidden: true },
  ],
  async run(context, { words, options }) {
    if (options.deleted === true) throw notYet('--deleted');
    if (words.length > 1) throw usage('name one pod', '`minirt events` shows those of all');
    const word = words[0] ?? options.for;
    return getEvents(context, word === undefined ? undefined : podName(word), options);
  },
};

/** Events of one pod, or of all pods of the namespace. */
export async function getEvents(context: Context, name: string | undefined, options: EventOptions): Promise<number> {
  const { io, roots, namespace, allNamespaces } = context;
  if (options.watch === true) {
    if (name === undefined) throw notYet('-w for the events of several pods');
    return watchEvents(context, name, options);
  }
  const views =
    name === undefined
      ? await listPods(roots, allNamespaces ? undefined : namespace)
      : [await findPod(roots, namespace, name)];
  const perPod = await Promise.all(views.map(async (view) => eventsOf(view, await readJournal(view.paths.journal))));
  const events = perPod.flat().toSorted((a, b) => (a.lastTimestamp ?? '').localeCompare(b.lastTimestamp ?? ''));
  const list = { apiVersion: 'v1', kind: 'EventList', metadata: {}, items: events };
  if (options.output === 'json') io.stdout.write(asJson(list));
  else if (options.output === 'yaml') io.stdout.write(await asYaml(list));
  else if (events.length === 0)
    tell(io, allNamespaces ? 'No events found.' : `No events found in ${namespace} namespace.`);
  else {
    const now = new Date();
    const heading = allNamespaces ? ['NAMESPACE', ...EVENT_HEADING] : EVENT_HEADING;
    const rows = events.map((event) => eventRow(event, allNamespaces, now));
    io.stdout.write(table(options.headers === false ? undefined : heading, rows));
  }
  return 0;
}

async function watchEvents(context: Context, name: string, options: EventOptions): Promise<number> {
  const { io, roots, namespace } = context;
  if (options.output === 'yaml') throw usage('-w prints text or, with -o json, one document per line');
  const view = await findPod(roots, namespace, name);
  const seen: JournalEntry[] = [];
  const print = (event: V1Event): void => {
    if (options.output === 'json') io.stdout.write(`${JSON.stringify(event)}\n`);
    else io.stdout.write(table(undefined, [eventRow(event, false, new Date())]));
  };
  for await (const entry of podEntriesUntilGone(context, view)) {
    seen.push(entry);
    const event = entry.kind === 'event' ? eventAt(view, seen, entry.seq) : undefined;
    if (event !== undefined) print(event);
  }
  return 0;
}
