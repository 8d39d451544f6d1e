import { tell } from '../io.ts';
import { getObjects } from '../objects.ts';
import { parseOutput, podsText } from '../output.ts';
import { type Selection, selectorOptions, showPods } from '../select.ts';
import { type Context, type Verb, usage } from '../verb.ts';
import { parseTarget } from '../words.ts';
import { getEvents } from './events.ts';

export interface GetOptions extends Selection {
  readonly output?: string;
  readonly watch?: boolean;
  readonly headers?: boolean;
}

export const verb: Verb<GetOptions> = {
  arguments: '<what...>',
  options: [
    { flags: '-o, --output <format>', text: 'wide, json, yaml, name or jsonpath=TEMPLATE' },
    { flags: '-w, --watch', text: 'go on and print every change; ends when the named pods are gone' },
    ...selectorOptions,
    { flags: '--no-headers', text: 'leave out the heading' },
  ],
  notes: 'What: `pods`, `pod NAME…`, `pod/NAME…`, `events`, `configmaps`, `secrets`.',
  async run(context, { words, options }) {
    const target = parseTarget(words);
    if (target.kind === 'events') {
      if (target.names.length > 0)
        throw usage('events have no names here', '`minirt events POD` shows those of one pod');
      return getEvents(context, undefined, options);
    }
    if (target.kind === 'pods') return getPods(context, target.names, options);
    return getObjects(context, target.kind, target.names, options);
  },
};

export async function getPods(context: Context, names: readonly string[], options: GetOptions): Promise<number> {
  const output = await parseOutput(options.output);
  if (options.watch === true) {
    const { watchPods } = await import('../watch.ts');
    return watchPods(context, names, { ...options, output });
  }
  const { io, namespace, allNamespaces } = context;
  const how = { ...options, namespaces: allNamespaces, one: names.length === 1 };
  await showPods(context, names, options, async (views) => {
    const objects = views.map((view) => view.object);
    if (output.kind !== 'table' || objects.length > 0) io.stdout.write(await podsText(objects, output, how));
    else tell(io, allNamespaces ? 'No resources found' : `No resources found in ${namespace} namespace.`);
  });
  return 0;
}
