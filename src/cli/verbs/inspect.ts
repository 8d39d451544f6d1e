import { openImageStore } from '../../image/store.ts';
import { asJson } from '../render/document.ts';
import { inspectedImage } from '../render/image-document.ts';
import type { Verb } from '../verb.ts';

export const verb: Verb<{ output?: 'json' }> = {
  arguments: '<images...>',
  options: [{ flags: '-o, --output <format>', text: 'json, which is what it prints anyway', choices: ['json'] }],
  notes: 'The form is that of `docker image inspect`.',
  async run({ io, roots }, { words }) {
    const store = openImageStore(roots.root);
    const found: object[] = [];
    for (const word of words) {
      const image = await store.need(word);
      found.push(inspectedImage(image, await store.parts(image)));
    }
    io.stdout.write(asJson(found));
    return 0;
  },
};
