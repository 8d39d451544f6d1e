import { MinirtError } from '../../base/errors.ts';

/** Linux: PATH_MAX with its NUL, NAME_MAX. */
const LONGEST_PATH = 4095;
const LONGEST_COMPONENT = 255;

const WHITEOUT = '.wh.';
const WHITEOUT_META = '.wh..wh.';
const OPAQUE = '.wh..wh..opq';

/** What the name of a layer's entry means (image-spec, layer.md). Paths are relative to the root; `.` is the root. */
export type EntryName =
  | { readonly kind: 'object'; readonly path: string }
  | { readonly kind: 'whiteout'; readonly path: string }
  | { readonly kind: 'opaque'; readonly path: string }
  | { readonly kind: 'skipped' };

/**
 * Reads the name of an entry. Markers are told by name, whatever the entry's type: images with hardlinked whiteouts
 * exist.
 * @throws MinirtError image.invalid for a name that is absolute, contains `..`, or is no name
 */
export function entryName(name: string): EntryName {
  if (name.startsWith('/')) throw refuse(name, 'an absolute name points outside the image');
  const parts = components(name);
  const last = parts.at(-1);
  if (last === undefined) return { kind: 'object', path: '.' };
  const above = parts.slice(0, -1);
  if (parts.some((part) => part.startsWith(WHITEOUT_META) && part !== OPAQUE)) return { kind: 'skipped' };
  if (above.some((part) => part.startsWith(WHITEOUT))) throw refuse(name, 'a whiteout is no directory');
  if (last === OPAQUE) return { kind: 'opaque', path: above.join('/') || '.' };
  if (!last.startsWith(WHITEOUT)) return { kind: 'object', path: parts.join('/') };
  const hidden = last.slice(WHITEOUT.length);
  if (hidden === '' || hidden === '.' || hidden === '..') throw refuse(name, 'a whiteout needs a name');
  return { kind: 'whiteout', path: [...above, hidden].join('/') };
}

/** The target of a hard link, relative to the root; some writers put a `/` in front. */
export function linkTarget(name: string): string {
  const path = components(name).join('/');
  if (path === '') throw refuse(name, 'a hard link needs a target');
  return path;
}

function components(name: string): readonly string[] {
  if (name === '') throw refuse(name, 'an empty name');
  if (name.includes('\0')) throw refuse(name, 'a name contains NUL');
  if (name.length > LONGEST_PATH) throw refuse(name, `a name is longer than ${LONGEST_PATH} bytes`);
  const parts = name.split('/').filter((part) => part !== '' && part !== '.');
  if (parts.includes('..')) throw refuse(name, '`..` points outside the image');
  if (parts.some((part) => part.length > LONGEST_COMPONENT))
    throw refuse(name, `a name is longer than ${LONGEST_COMPONENT} bytes`);
  return parts;
}

function refuse(name: string, cause: string): MinirtError {
  const shown = name.length > 200 ? `${name.slice(0, 200)}…` : name;
  return new MinirtError('image.invalid', `unpack layer: ${JSON.stringify(shown)}: ${cause}`);
}
