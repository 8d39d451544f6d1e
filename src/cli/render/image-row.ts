import type { Image } from '../../image/store.ts';
import { humanSize } from '../bytes.ts';
import { age } from './duration.ts';

export const IMAGE_HEADING: readonly string[] = ['REPOSITORY', 'TAG', 'IMAGE ID', 'CREATED', 'SIZE', 'SOURCE'];

/** Rows of `images`: one for each name, and one for an image that has none. */
export function imageRows(image: Image, now: Date): readonly (readonly string[])[] {
  const id = shortId(image.id);
  const created = image.created === undefined ? '<unknown>' : `${age(image.created, now)} ago`;
  const names = image.names.length === 0 ? [undefined] : image.names;
  return names.map((name) => [...splitName(name), id, created, humanSize(image.size), image.source]);
}

/** What `images` shows of an id; the verbs take it. */
export function shortId(id: string): string {
  return id.replace(/^sha256:/, '').slice(0, 12);
}

/** As docker shows it: its own registry and `library` go without saying. */
function splitName(name: string | undefined): readonly [string, string] {
  if (name === undefined) return ['<none>', '<none>'];
  const short = name.replace(/^docker\.io\/(library\/)?/, '');
  const colon = short.lastIndexOf(':');
  return colon > short.lastIndexOf('/') ? [short.slice(0, colon), short.slice(colon + 1)] : [short, '<none>'];
}
