import { eventsOf } from '../../pod/events.ts';
import { type PodView, readJournal } from '../../pod/view.ts';
import { describeObjects } from '../objects.ts';
import { describePod } from '../render/describe.ts';
import { type Selection, deletedOption, selectorOptions, showPods } from '../select.ts';
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
    await showPods(context, names, options, async (views) => {
      const texts = await Promise.all(views.map(description));
      context.io.stdout.write(texts.join('\n\n'));
    });
    return 0;
  },
};

async function description(view: PodView): Promise<string> {
  const journal = await readJournal(view.paths.journal);
  return describePod({ ...view, journal, events: eventsOf(view, journal) }, new Date());
}
