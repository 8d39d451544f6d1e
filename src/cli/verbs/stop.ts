import { type GraceOptions, endPod, graceOf, graceOptions } from '../ending.ts';
import { say, tell } from '../io.ts';
import { forEach, selectPods } from '../select.ts';
import { type Verb, usage } from '../verb.ts';
import { parsePodNames } from '../words.ts';

interface Options extends GraceOptions {
  readonly all?: boolean;
  readonly time?: number;
}

export const verb: Verb<Options> = {
  arguments: '[pod...]',
  options: [...graceOptions, { flags: '--all', text: 'all pods of the namespace' }],
  notes:
    'Pods: `pod NAME…`, `pod/NAME…` or `NAME…`. They end exactly as with `delete`, and what is known of them stays.',
  async run(context, { words, options }) {
    const { io } = context;
    const names = parsePodNames(words);
    if ((names.length === 0) === (options.all !== true)) throw usage('name pods, or say --all');
    await forEach(context, await selectPods(context, names), async (view) => {
      if (view.record.ended !== undefined) return tell(io, `pod "${view.name}" had already ended`);
      await endPod(context, view, { grace: graceOf(options), remove: false, now: false });
      say(io, `pod "${view.name}" stopped`);
    });
    return 0;
  },
};
