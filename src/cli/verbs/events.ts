import { EventLog, type V1Event, eventsOf } from '../../pod/events.ts';
import { type PodView, readJournal } from '../../pod/view.ts';
import { eventFields, fieldSelectorOption, parseFieldSelector } from '../field-selector.ts';
import { tell } from '../io.ts';
import { GrowingTable, table } from '../render/columns.ts';
import { asJson, asYaml } from '../render/document.ts';
import { EVENT_HEADING, eventRow } from '../render/event-row.ts';
import { deletedOption, selectPods } from '../select.ts';
import { podEntriesUntilGone } from '../stream.ts';
import { type Context, type Verb, usage } from '../verb.ts';
import { podName } from '../words.ts';

export interface EventOptions {
  readonly output?: string;
  readonly watch?: boolean;
  readonly headers?: boolean;
  readonly for?: string;
  readonly deleted?: boolean;
  readonly fieldSelector?: string;
}

export const verb: Verb<EventOptions> = {
  arguments: '[pod]',
  options: [
    { flags: '-o, --output <format>', text: 'json or yaml', choices: ['json', 'yaml'] },
    { flags: '-w, --watch', text: 'every event from the first on, as it comes; of one pod it ends when that is gone' },
    { flags: '--for <pod>', text: 'the same as naming the pod' },
    { flags: '--no-headers', text: 'leave out the heading' },
    fieldSelectorOption,
    deletedOption,
  ],
  async run(context, { words, options }) {
    if (words.length > 1) throw usage('name one pod', '`minirt events` shows those of all');
    const word = words[0] ?? options.for;
    return getEvents(context, word === undefined ? undefined : podName(word), options);
  },
};

/** Events of one pod, or of all pods of the namespace. */
export async function getEvents(context: Context, name: string | undefined, options: EventOptions): Promise<number> {
  const { io, namespace, allNamespaces } = context;
  const names = name === undefined ? [] : [name];
  const isSelected = parseFieldSelector(options.fieldSelector, eventFields);
  if (options.watch === true) return watchEvents(context, names, { ...options, isSelected });
  const views = await selectPods(context, names, options.deleted === true ? { deleted: true } : {});
  const perPod = await Promise.all(views.map(async (view) => eventsOf(view, await readJournal(view.paths.journal))));
  const events = perPod
    .flat()
    .filter(isSelected)
    .toSorted((a, b) => (a.lastTimestamp ?? '').localeCompare(b.lastTimestamp ?? ''));
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

interface WatchOptions extends EventOptions {
  readonly isSelected: (event: V1Event) => boolean;
}

async function watchEvents(context: Context, names: readonly string[], options: WatchOptions): Promise<number> {
  const { io, allNamespaces } = context;
  if (options.output === 'yaml') throw usage('-w prints text or, with -o json, one document per line');
  if (options.deleted === true) throw usage('nothing more comes of a deleted pod: leave out -w');
  const rows = new GrowingTable();
  let heading = options.headers === false ? [] : [allNamespaces ? ['NAMESPACE', ...EVENT_HEADING] : EVENT_HEADING];
  const print = (event: V1Event): void => {
    if (!options.isSelected(event)) return;
    if (options.output === 'json') {
      io.stdout.write(`${JSON.stringify(event)}\n`);
      return;
    }
    io.stdout.write(rows.add([...heading, eventRow(event, allNamespaces, new Date())]));
    heading = [];
  };
  const watch = async (view: PodView): Promise<void> => {
    const log = new EventLog(view);
    for await (const entry of podEntriesUntilGone(context, view)) {
      const event = log.take(entry);
      if (event !== undefined) print(event);
    }
  };
  if (names.length === 0) {
    const { withEachPod } = await import('../watch.ts');
    return withEachPod(context, {}, watch);
  }
  await Promise.all((await selectPods(context, names)).map(watch));
  return 0;
}
