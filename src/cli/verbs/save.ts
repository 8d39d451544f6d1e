import { createWriteStream } from 'node:fs';
import { rename, rm, stat } from 'node:fs/promises';
import { isErrno } from '../../base/errors.ts';
import { type ArchiveFormat, type Saved, saveImages } from '../../image/save.ts';
import { type ImageStore, openImageStore } from '../../image/store.ts';
import { type Verb, usage } from '../verb.ts';
import { normaliseReference } from '../../image/reference.ts';

interface Options {
  readonly output?: string;
  readonly format?: ArchiveFormat;
}

export const verb: Verb<Options> = {
  arguments: '<images...>',
  options: [
    { flags: '-o, --output <file>', text: 'a file, instead of stdout' },
    {
      flags: '--format <format>',
      text: 'oci-archive (an OCI layout in a tar, the default) or docker-archive',
      choices: ['oci-archive', 'docker-archive'],
    },
  ],
  notes:
    'The archive is not packed again: its layers are as they came. `minirt load -i FILE` takes it, and so does skopeo.',
  async run({ io, roots }, { words, options }) {
    if (words.length === 0) throw usage('say which images');
    const { output = '-', format = 'oci-archive' } = options;
    if (output === '-' && io.stdout.isTTY)
      throw usage('stdout is a terminal', '`minirt save IMAGE -o FILE`, or pipe it on');
    const images = await toSave(openImageStore(roots.root), words);
    const write = async (to: NodeJS.WritableStream): Promise<void> =>
      saveImages(images, format, { to: to as NodeJS.WriteStream, signal: io.signal });
    if (output === '-') await write(io.stdout);
    else await writeFile(output, write);
    return 0;
  },
};

/** Each image once, with the names that were asked for; all it has when it was called by its id. */
async function toSave(store: ImageStore, words: readonly string[]): Promise<readonly Saved[]> {
  const found = new Map<string, { parts: Saved['parts']; names: Set<string> }>();
  for (const word of words) {
    const image = await store.need(word);
    const entry = found.get(image.digest) ?? { parts: await store.parts(image), names: new Set<string>() };
    const isId = image.id.startsWith(word.startsWith('sha256:') ? word : `sha256:${word}`);
    const named = isId ? undefined : image.names.find((name) => name === normaliseReference(word));
    for (const name of named === undefined ? image.names : [named]) entry.names.add(name);
    found.set(image.digest, entry);
  }
  return [...found.values()].map(({ parts, names }) => ({ parts, names: [...names] }));
}

/** A regular file is replaced only by a whole archive. */
async function writeFile(path: string, write: (to: NodeJS.WritableStream) => Promise<void>): Promise<void> {
  const isOther = await stat(path).then(
    (found) => !found.isFile(),
    (error: unknown) => {
      if (isErrno(error, 'ENOENT')) return false;
      throw error;
    },
  );
  if (isOther) return write(createWriteStream(path));
  const fresh = `${path}.${process.pid}.part`;
  try {
    await write(createWriteStream(fresh, { flags: 'wx' }));
    await rename(fresh, path);
  } catch (error) {
    await rm(fresh, { force: true });
    throw error;
  }
}
