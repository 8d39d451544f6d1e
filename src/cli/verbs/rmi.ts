import { MinirtError } from '../../base/errors.ts';
import { normaliseReference } from '../../image/reference.ts';
import { type Image, type ImageStore, openImageStore } from '../../image/store.ts';
import { podGuard } from '../image-users.ts';
import { say } from '../io.ts';
import { shortId } from '../render/image-row.ts';
import { forEach } from '../select.ts';
import { type Context, type Verb, usage } from '../verb.ts';

export const verb: Verb<{ force?: boolean }> = {
  arguments: '<images...>',
  options: [
    { flags: '-f, --force', text: 'also with several names when it is called by its id, or when an ended pod used it' },
  ],
  notes: 'By a name only that goes, and the image with its last one. What a running pod uses stays.',
  async run(context, { words, options }) {
    if (words.length === 0) throw usage('say which images');
    const store = openImageStore(context.roots.root);
    const force = options.force === true;
    // One after the other: two names of one image are two questions.
    const failures: unknown[] = [];
    for (const word of words)
      await removeImage(context, { store, word, force }).catch((error: unknown) => failures.push(error));
    await forEach(context, failures, async (failure) => Promise.reject(failure as Error));
    return 0;
  },
};

interface Removal {
  readonly store: ImageStore;
  readonly word: string;
  readonly force: boolean;
}

async function removeImage({ io, roots }: Context, { store, word, force }: Removal): Promise<void> {
  const image = await store.need(word);
  const names = namesMeant(image, word);
  if (names === undefined && image.names.length > 1 && !force) {
    const text = `remove image: ${shortId(image.id)}: conflict (must be forced): it has several names`;
    throw new MinirtError('image.in-use', text, { hint: `name those to take: ${image.names.join(', ')}` });
  }
  const removed = await store.remove(image.digest, { names, guard: podGuard(roots, force) }, io.signal);
  for (const name of removed.names) say(io, `Untagged: ${name}`);
  if (removed.isGone) say(io, `Deleted: ${removed.image.id}`);
}

/** Undefined when the image was called by what it is, not by a name. */
function namesMeant(image: Image, word: string): readonly string[] | undefined {
  const name = /^(sha256:)?[a-f0-9]{4,64}$/.test(word) ? undefined : normaliseReference(word);
  if (name !== undefined && image.names.includes(name)) return [name];
  const short = image.names.find((one) => one === `docker.io/library/${word}:latest`);
  return short === undefined ? undefined : [short];
}
