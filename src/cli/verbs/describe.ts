import { eventsOf } from '../../pod/events.ts';
import { readJournal } from '../../pod/view.ts';
import { describeObjects } from '../objects.ts';
import { describePod } from '../render/describe.ts';
import { type Selection, deletedOption, selectPods, selectorOptions } from '../select.ts';
import { type Verb, usage } from '../verb.ts';
import { parseTarget } from '../words.ts';

export const verb: Verb<Selection> = {
  arguments: '<what...>',
  options: [...selectorOptions, deletedOption],
  notes: 'What: `pods`, `pod NAME…`, `pod/NAME…`, `configmap NAME`, `secret NAME`, `pvc NAME`.',
  async run(context, { words, options }) {
    const { kind, names } = parseTarget(words);
    if (kind === 'events') throw usage('events cannot be described');
    if (kind !== 'pods') return describeObjects(context, kind, names, options);
    const views = await selectPods(context, names, options);
    const texts = await Promise.all(
      views.map(async (view) => {
        const journal = await readJournal(view.paths.journal);
        return describePod({ ...view, journal, events: eventsOf(view, journal) }, new Date());
      }),
    );
    context.io.stdout.write(texts.join('\n\n'));
    return 0;
  },
};
