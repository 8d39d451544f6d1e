import { MinirtError, isMinirtError } from '../../base/errors.ts';
import type { JournalEntry } from '../../pod/journal-entry.ts';
import { type PodView, readJournal } from '../../pod/view.ts';
import { chooseContainer } from '../containers.ts';
import { durationOption, integerOption } from '../duration.ts';
import { tell } from '../io.ts';
import { logInstance } from '../log/instance.ts';
import { type ReadOptions, type Sink, followLog, followRestarts, printLog } from '../log/reader.ts';
import { hookOutput } from '../render/hook-lines.ts';
import { type Selection, deletedOption, selectPods, selectorOptions } from '../select.ts';
import { podEntries } from '../stream.ts';
import { type Context, type Verb, usage } from '../verb.ts';
import { podName } from '../words.ts';
import { writeTo } from '../write.ts';

interface Options extends Selection {
  readonly container?: string;
  readonly allContainers?: boolean;
  readonly follow?: boolean;
  readonly followRestarts?: boolean;
  readonly previous?: boolean;
  readonly tail?: number;
  readonly since?: number;
  readonly sinceTime?: string;
  readonly timestamps?: boolean;
  readonly prefix?: boolean;
  readonly hooks?: boolean;
}

/** Lines of each container that are shown when pods are selected by label and no --tail is given (kubectl). */
const SELECTED_TAIL = 10;

export const verb: Verb<Options> = {
  arguments: '[pod] [container]',
  options: [
    { flags: '-c, --container <name>', text: 'instead of the first main one; init containers too' },
    { flags: '--all-containers', text: 'of all containers' },
    ...selectorOptions,
    { flags: '-f, --follow', text: 'go on until this run of the container ends' },
    { flags: '--follow-restarts', text: 'go on until the pod ends' },
    { flags: '-p, --previous', text: 'the run before' },
    { flags: '--tail <lines>', text: 'only the last lines; -1: all', parse: integerOption('--tail', -1) },
    { flags: '--since <duration>', text: 'only what is younger', parse: durationOption('--since') },
    { flags: '--since-time <time>', text: 'only what came later; RFC 3339' },
    { flags: '--timestamps', text: 'when each line was written' },
    { flags: '--prefix', text: 'whose line it is' },
    { flags: '--hooks', text: 'what hooks and failed probes printed, instead of the containers' },
    deletedOption,
  ],
  async run(context, { words, options }) {
    const [word, container, ...more] = words;
    if (more.length > 0) throw usage('logs takes one pod and at most one container');
    const given = { ...options, ...(container === undefined ? {} : { container }) };
    const selected = options.selector !== undefined || options.fieldSelector !== undefined;
    if ((word === undefined) !== selected) throw usage('name a pod, or select pods with -l');
    if (options.deleted === true && isFollowing(options))
      throw usage('nothing more comes of a deleted pod: leave out -f');
    const views = await podsOf(context, word, options);
    if (views.length === 0) tell(context.io, `No resources found in ${context.namespace} namespace.`);
    if (isFollowing(options)) await Promise.all(views.map((view) => logsOf(context, view, given)));
    else for (const view of views) await logsOf(context, view, given);
    return 0;
  },
};

/** The named pod, or the selected ones; kubectl says of `logs` alone in which namespace it looked. */
async function podsOf(context: Context, word: string | undefined, options: Options): Promise<readonly PodView[]> {
  try {
    return await selectPods(context, word === undefined ? [] : [podName(word)], options);
  } catch (error) {
    if (!isMinirtError(error, 'pod.not-found') || options.deleted === true) throw error;
    throw new MinirtError(error.code, `${error.message} in namespace "${context.namespace}"`);
  }
}

function isFollowing(options: Options): boolean {
  return options.follow === true || options.followRestarts === true;
}

async function logsOf(context: Context, view: PodView, options: Options): Promise<void> {
  if (options.hooks === true) return hookLogs(context, view, options);
  const names =
    options.allContainers === true
      ? view.pod.containers.map((one) => one.name)
      : [
          chooseContainer(view, options.container, (line) => {
            tell(context.io, line);
          }),
        ];
  if (isFollowing(options)) {
    await Promise.all(names.map((name) => containerLogs(context, { view, name }, options)));
  } else {
    for (const name of names) await containerLogs(context, { view, name }, options);
  }
}

async function containerLogs(context: Context, one: { view: PodView; name: string }, options: Options): Promise<void> {
  const { io, roots } = context;
  const source = { roots, view: one.view, container: one.name };
  const sink = writeTo(io.stdout);
  const read = readOptions(one, options);
  const restart = instanceOf(one, options);
  if (options.followRestarts === true) return followRestarts(source, restart, { ...read, signal: io.signal }, sink);
  if (options.follow === true) return followLog(source, restart, { ...read, signal: io.signal }, sink);
  return printLog(source, restart, read, sink);
}

/** With --follow-restarts a run that has yet to come can be waited for. */
function instanceOf({ view, name }: { view: PodView; name: string }, options: Options): number {
  try {
    return logInstance(view, name, options.previous === true);
  } catch (error) {
    if (options.followRestarts === true && isMinirtError(error, 'container.waiting')) return 0;
    throw error;
  }
}

function readOptions({ view, name }: { view: PodView; name: string }, options: Options): ReadOptions {
  const tail = options.tail ?? (options.selector === undefined ? -1 : SELECTED_TAIL);
  return {
    timestamps: options.timestamps === true,
    since: sinceOf(options),
    tail: tail < 0 ? undefined : tail,
    prefix: options.prefix === true ? `[pod/${view.name}/${name}] ` : '',
  };
}

function sinceOf({ since, sinceTime }: Options): number | undefined {
  if (since !== undefined && sinceTime !== undefined)
    throw usage('at most one of --since and --since-time can be used');
  if (sinceTime === undefined) return since === undefined ? undefined : Date.now() - since * 1000;
  const at = Date.parse(sinceTime);
  if (Number.isNaN(at)) throw usage(`--since-time: "${sinceTime}" is not a time`, 'for example 2026-01-02T15:04:05Z');
  return at;
}

async function hookLogs(context: Context, view: PodView, options: Options): Promise<void> {
  if (options.previous === true) throw new MinirtError('usage', '--hooks already shows every run: leave out -p');
  const { container, tail = -1 } = options;
  if (container !== undefined) chooseContainer(view, container, () => undefined);
  const sink: Sink = writeTo(context.io.stdout);
  const how = { timestamps: options.timestamps === true, since: sinceOf(options), mark: true };
  const textOf = (entry: JournalEntry): Buffer =>
    container === undefined || !('container' in entry) || entry.container === container
      ? hookOutput(entry, how)
      : Buffer.alloc(0);
  if (isFollowing(options)) {
    for await (const entry of podEntries(context, view, 1)) await sink(textOf(entry));
    return;
  }
  const all = Buffer.concat((await readJournal(view.paths.journal)).map(textOf));
  const lines = all.toString('utf8').split('\n').slice(0, -1);
  await sink(
    tail < 0
      ? all
      : Buffer.from(
          lines
            .slice(lines.length - tail)
            .map((line) => `${line}\n`)
            .join(''),
        ),
  );
}
