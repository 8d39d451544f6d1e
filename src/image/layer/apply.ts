import { MinirtError, isMinirtError } from '../../base/errors.ts';
import { FsOps, type FileTime } from '../../helper/fsops.ts';
import type { Meter } from '../limits.ts';
import { type TarEntry, readTar } from './entries.ts';
import { entryName, linkTarget } from './name.ts';

/** Ids are 32 bits; the last one means "no change" to chown. */
const LARGEST_ID = 2 ** 32 - 2;
/** Failures of the host, whatever the layer says. */
const HOST_ERRORS: ReadonlySet<unknown> = new Set([
  'ENOSPC',
  'EDQUOT',
  'EIO',
  'EROFS',
  'ENOMEM',
  'EMFILE',
  'ENFILE',
  'EPERM',
  'EACCES',
]);

export interface ApplyOptions {
  /** An empty directory, absolute. */
  readonly directory: string;
  /** Directories of the layers below, top first, as soon as they are whole. */
  readonly lowers: Promise<readonly string[]>;
  /** Whether an archive without an end mark counts as cut off: where no digest says otherwise. */
  readonly mustEnd?: boolean;
  readonly meter: Meter;
}

/**
 * Unpacks one layer in the form overlayfs reads. On any error the directory holds an unfinished tree that the caller
 * drops.
 * @throws MinirtError image.invalid (the layer is broken or points outside), image.unsupported, image.too-large, io,
 *   helper.failed
 */
export async function applyLayer(
  tar: AsyncIterable<Uint8Array>,
  options: ApplyOptions,
  signal: AbortSignal,
): Promise<void> {
  const ops = FsOps.open(options.directory, signal);
  const markers = { opaque: new Set<string>(), whiteouts: new Set<string>() };
  let hasLowers = false;
  const needLowers = async (): Promise<void> => {
    if (hasLowers) return;
    hasLowers = true;
    for (const lower of await options.lowers) await ops.send('lower', Buffer.from(lower).toString('latin1'));
  };
  try {
    for await (const entry of readTar(tar, { mustEnd: options.mustEnd ?? false })) {
      options.meter.countEntry();
      // What it is to be linked with may lie below.
      if (entry.type === 'link') await needLowers();
      await applyEntry(ops, entry, markers);
    }
    await needLowers();
    // Markers are about lower layers only, wherever in the layer they stand.
    for (const path of markers.opaque) await ops.send('opaque', path);
    for (const path of markers.whiteouts) await ops.send('whiteout', path);
    await ops.finish();
  } catch (error) {
    await ops.kill();
    throw layerError(error);
  }
}

interface Markers {
  readonly opaque: Set<string>;
  readonly whiteouts: Set<string>;
}

async function applyEntry(ops: FsOps, entry: TarEntry, markers: Markers): Promise<void> {
  const name = entryName(entry.name);
  if (name.kind === 'opaque') markers.opaque.add(name.path);
  if (name.kind === 'whiteout') markers.whiteouts.add(name.path);
  // A device 0:0 is what a whiteout becomes; a layer that carries one means the same.
  const isWhiteout = entry.type === 'character-device' && entry.major === 0 && entry.minor === 0;
  if (name.kind === 'object' && isWhiteout) markers.whiteouts.add(name.path);
  if (name.kind !== 'object' || isWhiteout) return drain(entry);
  if (name.path === '.' && entry.type !== 'directory') {
    throw new MinirtError('image.invalid', `unpack layer: ${JSON.stringify(entry.name)}: the root must be a directory`);
  }
  for (const [key, hex] of xattrsOf(entry)) await ops.send('xattr', key, hex);
  await sendObject(ops, entry, name.path);
  if (entry.type !== 'file') return drain(entry);
  for await (const chunk of entry.content) await ops.content(chunk);
}

async function sendObject(ops: FsOps, entry: TarEntry, path: string): Promise<void> {
  const time = timeOf(entry);
  const owner = [idOf(entry, 'uid'), idOf(entry, 'gid')] as const;
  const when = [time.seconds.toString(), time.nanoseconds.toString()] as const;
  const attributes = [octal(entry.mode), ...owner, ...when] as const;
  switch (entry.type) {
    case 'directory':
      return ops.send('mkdir', path, ...attributes);
    case 'file':
      if ([...entry.pax.keys()].some((key) => key.startsWith('GNU.sparse.'))) throw unsupported(entry, 'a sparse file');
      return ops.send('file', path, ...attributes, entry.size.toString());
    case 'symlink':
      if (entry.linkname === '')
        throw new MinirtError('image.invalid', `unpack layer: ${JSON.stringify(entry.name)}: an empty link`);
      return ops.send('symlink', path, entry.linkname, ...owner, ...when);
    case 'link':
      return ops.send('hardlink', path, linkTarget(entry.linkname));
    case 'character-device':
    case 'block-device': {
      const kind = entry.type === 'block-device' ? 'b' : 'c';
      return ops.send('node', path, kind, whole(entry.major), whole(entry.minor), ...attributes);
    }
    case 'fifo':
      return ops.send('fifo', path, ...attributes);
    case undefined:
      throw unsupported(entry, 'an entry of a kind that POSIX does not know (a sparse file?)');
    default:
      return entry.type satisfies never;
  }
}

async function drain(entry: TarEntry): Promise<void> {
  for await (const _chunk of entry.content);
}

/**
 * File capabilities and user xattrs; the rest belongs to the host (SELinux labels) or to overlayfs, where an image could
 * forge whiteouts and redirects with it.
 */
function xattrsOf(entry: TarEntry): readonly (readonly [string, string])[] {
  const found = new Map<string, string>();
  for (const [key, value] of entry.pax) {
    const schily = /^SCHILY\.xattr\.(.+)$/s.exec(key)?.[1];
    const libarchive = /^LIBARCHIVE\.xattr\.(.+)$/s.exec(key)?.[1];
    const name = schily ?? (libarchive === undefined ? '' : decodePercent(libarchive));
    if (name !== 'security.capability' && !name.startsWith('user.')) continue;
    if (name.length > 255)
      throw new MinirtError('image.invalid', `unpack layer: ${JSON.stringify(entry.name)}: xattr name too long`);
    const bytes = schily !== undefined ? Buffer.from(value, 'latin1') : Buffer.from(value, 'base64');
    if (bytes.length > 65536)
      throw new MinirtError('image.invalid', `unpack layer: ${JSON.stringify(entry.name)}: xattr over 64 KiB`);
    found.set(name, bytes.toString('hex'));
  }
  return [...found];
}

function decodePercent(text: string): string {
  return text.replaceAll(/%([0-9a-fA-F]{2})/g, (_all, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

/** Seconds with any number of digits behind the point in PAX, whole ones in the plain header. */
function timeOf(entry: TarEntry): FileTime {
  const text = entry.pax.get('mtime');
  const match = /^(-?)([0-9]{1,18})(?:\.([0-9]*))?$/.exec(text ?? '');
  if (match === null) {
    const seconds = Math.floor(entry.mtimeMs / 1000);
    return { seconds: BigInt(Number.isSafeInteger(seconds) ? seconds : 0), nanoseconds: 0 };
  }
  const nanoseconds = Number((match[3] ?? '').slice(0, 9).padEnd(9, '0'));
  const seconds = BigInt(match[2] ?? '0');
  if (match[1] !== '-') return { seconds, nanoseconds };
  return nanoseconds === 0
    ? { seconds: -seconds, nanoseconds }
    : { seconds: -seconds - 1n, nanoseconds: 1e9 - nanoseconds };
}

function idOf(entry: TarEntry, key: 'uid' | 'gid'): string {
  const value = Number(entry.pax.get(key) ?? entry[key]);
  if (!Number.isInteger(value) || value < 0 || value > LARGEST_ID) {
    throw new MinirtError('image.invalid', `unpack layer: ${JSON.stringify(entry.name)}: ${key} out of range`);
  }
  return value.toString();
}

function octal(mode: number): string {
  return (Number.isSafeInteger(mode) ? mode & 0o7777 : 0).toString(8);
}

function whole(value: number): string {
  if (!Number.isInteger(value) || value < 0)
    throw new MinirtError('image.invalid', 'unpack layer: device number out of range');
  return value.toString();
}

function unsupported(entry: TarEntry, what: string): MinirtError {
  return new MinirtError('image.unsupported', `unpack layer: ${JSON.stringify(entry.name)}: ${what}`);
}

/** What the helper could not do is the layer's fault, unless the host is full or broken. */
function layerError(error: unknown): unknown {
  if (!isMinirtError(error, 'helper.failed') || error.details['stage'] !== 'unpack') return error;
  const { errnoName, what } = error.details as { readonly errnoName?: unknown; readonly what?: unknown };
  const options = { cause: error, details: error.details };
  const text = `unpack layer: ${String(what)}: ${String(errnoName)}`;
  if (HOST_ERRORS.has(errnoName)) return new MinirtError('io', text, options);
  if (errnoName === 'EOPNOTSUPP' || errnoName === 'ENOTSUP') return new MinirtError('image.unsupported', text, options);
  if (errnoName === 'EXDEV')
    return new MinirtError('image.invalid', `unpack layer: ${String(what)}: a link points outside the image`, options);
  return new MinirtError('image.invalid', text, options);
}
