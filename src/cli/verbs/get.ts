import { say, tell } from '../io.ts';
import { table } from '../render/columns.ts';
import { asJson, asYaml, listOf } from '../render/document.ts';
import { podHeading, podRow } from '../render/pod-row.ts';
import { selectPods, selectorOption } from '../select.ts';
import { type Context, type Verb, notYet, usage } from '../verb.ts';
import { parseTarget } from '../words.ts';
import { getEvents } from './events.ts';

export interface GetOptions {
  readonly output?: string;
  readonly watch?: boolean;
  readonly selector?: string;
  readonly headers?: boolean;
  readonly fieldSelector?: string;
  readonly ignoreNotFound?: boolean;
}

export const verb: Verb<GetOptions> = {
  arguments: '<what...>',
  options: [
    { flags: '-o, --output <format>', text: 'wide, json, yaml or name' },
    { flags: '-w, --watch', text: 'go on and print every change; ends when the named pods are gone' },
    selectorOption,
    { flags: '--field-selector <fields>', text: 'not yet supported', hidden: true },
    { flags: '--no-headers', text: 'leave out the heading' },
  ],
  notes: 'What: `pods`, `pod NAME…`, `pod/NAME…`, `events`.',
  async run(context, { words, options }) {
    const target = parseTarget(words);
    if (options.fieldSelector !== undefined) throw notYet('--field-selector');
    if (target.kind === 'events') {
      if (target.names.length > 0)
        throw usage('events have no names here', '`minirt events POD` shows those of one pod');
      return getEvents(context, undefined, options);
    }
    return getPods(context, target.names, options);
  },
};

const FORMATS: ReadonlySet<string> = new Set(['wide', 'json', 'yaml', 'name']);

export async function getPods(context: Context, names: readonly string[], options: GetOptions): Promise<number> {
  const { output } = options;
  if (output?.startsWith('jsonpath') === true) throw notYet('-o jsonpath');
  if (output !== undefined && !FORMATS.has(output)) {
    throw usage(
      `unable to match a printer suitable for the output format "${output}"`,
      'allowed: json, yaml, name, wide',
    );
  }
  if (options.watch === true) {
    const { watchPods } = await import('../watch.ts');
    return watchPods(context, names, options);
  }
  const views = await selectPods(context, names, options.selector);
  const { io } = context;
  const objects = views.map((view) => view.object);
  const document = names.length === 1 ? objects[0] : listOf(objects);
  if (output === 'json') io.stdout.write(asJson(document));
  else if (output === 'yaml') io.stdout.write(await asYaml(document));
  else if (output === 'name') for (const view of views) say(io, `pod/${view.name}`);
  else if (views.length === 0) {
    tell(io, context.allNamespaces ? 'No resources found' : `No resources found in ${context.namespace} namespace.`);
  } else {
    const columns = { wide: output === 'wide', namespace: context.allNamespaces };
    const now = new Date();
    const rows = objects.map((object) => podRow(object, columns, now));
    io.stdout.write(table(options.headers === false ? undefined : podHeading(columns), rows));
  }
  return 0;
}
