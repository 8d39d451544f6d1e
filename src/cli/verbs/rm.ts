import type { Verb } from '../verb.ts';
import { usage } from '../verb.ts';
import { parsePodNames } from '../words.ts';
import { type DeleteOptions, deletePods, verb as deleteVerb } from './delete.ts';

/** What docker and podman people type: names, without the word `pod`. */
export const verb: Verb<DeleteOptions> = {
  arguments: '[pod...]',
  options: deleteVerb.options,
  async run(context, { words, options }) {
    const { namespace } = context;
    const names = parsePodNames(words);
    if (names.length === 0) throw usage('name pods', '`minirt delete` has more ways to say which');
    return deletePods(
      context,
      names.map((name) => ({ namespace, name })),
      options,
    );
  },
};
