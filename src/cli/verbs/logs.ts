import { MinirtError, isMinirtError } from '../../base/errors.ts';
import { type PodView, findPod, readJournal } from '../../pod/view.ts';
import { chooseContainer } from '../containers.ts';
import { durationOption, integerOption } from '../duration.ts';
import { tell } from '../io.ts';
import { logInstance } from '../log/instance.ts';
import { type ReadOptions, type Sink, followLog, followRestarts, printLog } from '../log/reader.ts';
import { hookOutput } from '../render/hook-lines.ts';
import { selectPods, selectorOption } from '../select.ts';
import { podEntries } from '../stream.ts';
import { type Context, type Verb, notYet, usage } from '../verb.ts';
import { podName } from '../words.ts';
import { writeTo } from '../write.ts';

interface Options {
  readonly container?: string;
  readonly allContainers?: boolean;
  readonly selector?: string;
  readonly follow?: boolean;
  readonly followRestarts?: boolean;
  readonly previous?: boolean;
  readonly tail?: number;
  readonly since?: number;
  readonly sinceTime?: string;
  readonly timestamps?: boolean;
  readonly prefix?: boolean;
  readonly hooks?: boolean;
  readonly deleted?: boolean;
}

/** Lines of each container that are shown when pods are selected by label and no --tail is given (kubectl). */
const SELECTED_TAIL = 10;

export const verb: Verb<Options> = {
  arguments: '[pod] [container]',
  options: [
    { flags: '-c, --container <name>', text: 'instead of the first one' },
    { flags: '--all-containers', text: 'of all containers' },
    selectorOption,
    { flags: '-f, --follow', text: 'go on until this run of the container ends' },
    { flags: '--follow-restarts', text: 'go on until the pod ends' },
    { flags: '-p, --previous', text: 'the run before' },
    { flags: '--tail <lines>', text: 'only the last lines; -1: all', parse: integerOption('--tail', -1) },
    { flags: '--since <duration>', text: 'only what is younger', parse: durationOption('--since') },
    { flags: '--since-time <time>', text: 'only what came later; RFC 3339' },
    { flags: '--timestamps', text: 'when each line was written' },
    { flags: '--prefix', text: 'whose line it is' },
    { flags: '--hooks', text: 'what hooks printed, instead of the containers' },
    { flags: '--deleted', text: 'not yet supported', hidden: true },
  ],
  async run(context, { words, options }) {
    if (options.deleted === true) throw notYet('--deleted');
    const [word, container, ...more] = words;
    if (more.length > 0) throw usage('logs takes one pod and at most one container');
    const given = { ...options, ...(container === undefined ? {} : { container }) };
    if ((word === undefined) === (options.selector === undefined)) throw usage('name a pod, or select pods with -l');
    const views =
      word === undefined
        ? await selectPods(context, [], options.selector)
        : [await findPod(context.roots, context.namespace, podName(word))];
    if (views.length === 0) tell(context.io, `No resources found in ${context.namespace} namespace.`);
    await Promise.all(views.map((view) => logsOf(context, view, given)));
    return 0;
  },
};

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
  const following = options.follow === true || options.followRestarts === true;
  if (following) {
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
  const following = options.follow === true || options.followRestarts === true;
  const entries = following ? podEntries(context, view, 1) : await readJournal(view.paths.journal);
  const sink: Sink = writeTo(context.io.stdout);
  const how = { timestamps: options.timestamps === true, since: sinceOf(options) };
  for await (const entry of entries) {
    if (options.container !== undefined && 'container' in entry && entry.container !== options.container) continue;
    await sink(hookOutput(entry, how));
  }
}
