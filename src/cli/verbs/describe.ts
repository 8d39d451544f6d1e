import { eventsOf } from '../../pod/events.ts';
import { readJournal } from '../../pod/view.ts';
import { describePod } from '../render/describe.ts';
import { selectPods, selectorOption } from '../select.ts';
import { type Verb, notYet, usage } from '../verb.ts';
import { parseTarget } from '../words.ts';

interface Options {
  readonly selector?: string;
  readonly deleted?: boolean;
}

export const verb: Verb<Options> = {
  arguments: '<what...>',
  options: [selectorOption, { flags: '--deleted', text: 'not yet supported', hidden: true }],
  notes: 'What: `pods`, `pod NAME…`, `pod/NAME…`.',
  async run(context, { words, options }) {
    if (options.deleted === true) throw notYet('--deleted');
    const { kind, names } = parseTarget(words);
    if (kind !== 'pods') throw usage(`${kind} cannot be described`);
    const views = await selectPods(context, names, options.selector);
    const texts = await Promise.all(
      views.map(async (view) => {
        const journal = await readJournal(view.paths.journal);
        return describePod({ object: view.object, journal, events: eventsOf(view, journal) }, new Date());
      }),
    );
    context.io.stdout.write(texts.join('\n\n'));
    return 0;
  },
};
