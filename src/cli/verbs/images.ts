import { openImageStore } from '../../image/store.ts';
import { say } from '../io.ts';
import { table } from '../render/columns.ts';
import { asJson } from '../render/document.ts';
import { IMAGE_HEADING, imageRows } from '../render/image-row.ts';
import type { Verb } from '../verb.ts';

interface Options {
  readonly output?: 'json';
  readonly quiet?: boolean;
  readonly headers?: boolean;
}

export const verb: Verb<Options> = {
  arguments: '',
  options: [
    { flags: '-o, --output <format>', text: 'json', choices: ['json'] },
    { flags: '-q, --quiet', text: 'only ids' },
    { flags: '--no-headers', text: 'leave out the heading' },
  ],
  async run({ io, roots }, { options }) {
    const images = await openImageStore(roots.root).list();
    if (options.output === 'json') io.stdout.write(asJson(images));
    else if (options.quiet === true) for (const { id } of images) say(io, id);
    else {
      const rows = images.flatMap((image) => imageRows(image, new Date()));
      io.stdout.write(table(options.headers === false ? undefined : IMAGE_HEADING, rows));
    }
    return 0;
  },
};
