import { openImageStore } from '../../image/store.ts';
import { tellMoved } from '../moved.ts';
import type { Verb } from '../verb.ts';

export const verb: Verb = {
  arguments: '<image> <name>',
  options: [],
  notes: 'A name that another image has is taken from it, and minirt says so.',
  async run({ io, roots }, { words }) {
    const [image = '', name = ''] = words;
    for (const moved of await openImageStore(roots.root).tag(image, name, io.signal)) tellMoved(io, moved);
    return 0;
  },
};
