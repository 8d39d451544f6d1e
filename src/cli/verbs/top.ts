import { MinirtError } from '../../base/errors.ts';
import { usageOf } from '../../pod/usage.ts';
import { tell } from '../io.ts';
import { topText } from '../render/top.ts';
import { type Selection, selectPods, selectorOptions } from '../select.ts';
import { type Verb, usage } from '../verb.ts';
import { parseTarget } from '../words.ts';

interface TopOptions extends Selection {
  readonly containers?: boolean;
  readonly headers?: boolean;
  readonly output?: 'wide';
  readonly sortBy?: 'cpu' | 'memory';
}

export const verb: Verb<TopOptions> = {
  arguments: '<what...>',
  options: [
    { flags: '--containers', text: 'a row for each container' },
    { flags: '-o, --output <format>', text: 'wide: and how much waited, in percent of ten seconds', choices: ['wide'] },
    { flags: '--sort-by <field>', text: 'cpu or memory, most first', choices: ['cpu', 'memory'] },
    { flags: '--no-headers', text: 'leave out the heading' },
    ...selectorOptions,
  ],
  notes: 'What: `pods`, `pod NAME…`. CPU time is that of one second, memory is what cannot be had back at once.',
  async run(context, { words, options }) {
    const { kind, names } = parseTarget(words);
    if (kind !== 'pods') throw usage('top is about pods', '`minirt top pods`');
    const { io, namespace, allNamespaces, roots } = context;
    const views = await selectPods(context, names, options);
    const used = await usageOf(roots, views);
    const rows = views.map((view) => ({
      namespace: view.namespace,
      pod: view.name,
      containers: used.get(view) ?? [],
    }));
    const idle = rows.find(({ containers }) => containers.length === 0);
    if (idle !== undefined && names.length > 0) {
      const text = `metrics not available for pod ${idle.namespace}/${idle.pod}: none of its containers runs`;
      throw new MinirtError('pod.not-running', text);
    }
    const busy = rows.filter(({ containers }) => containers.length > 0);
    if (busy.length === 0) {
      tell(io, allNamespaces ? 'No resources found' : `No resources found in ${namespace} namespace.`);
      return 0;
    }
    io.stdout.write(
      topText(busy, {
        containers: options.containers === true,
        namespaces: allNamespaces,
        headers: options.headers !== false,
        wide: options.output === 'wide',
        sortBy: options.sortBy,
      }),
    );
    return 0;
  },
};
