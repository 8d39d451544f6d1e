import { extract as createExtract, type Extract, type Header } from 'tar-stream';
import { MinirtError, messageOf } from '../../base/errors.ts';

/** One extended header holds names and xattrs (at most 64 KiB each); nothing honest is near this. */
const LARGEST_PAX = 1024 * 1024;

export type EntryType = 'file' | 'link' | 'symlink' | 'character-device' | 'block-device' | 'directory' | 'fifo';

/** A member of a tar archive. Texts are bytes, one character each (latin1). */
export interface TarEntry {
  readonly name: string;
  readonly linkname: string;
  /** Undefined for a kind that is not in POSIX, such as GNU's sparse files. */
  readonly type: EntryType | undefined;
  readonly size: number;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtimeMs: number;
  readonly major: number;
  readonly minor: number;
  /** Extended header records. */
  readonly pax: ReadonlyMap<string, string>;
  /** Must be read to its end before the next entry. */
  readonly content: AsyncIterable<Uint8Array>;
}

/** The parts of tar-stream's Extract that a layer needs to be otherwise. */
interface Internals {
  _header: { readonly type: string | null } | null;
  _pax: Record<string, string> | null;
  _paxGlobal: Record<string, string> | null;
  readonly _buffer: { readonly buffered: number; shiftFirst(size: number): unknown };
  _decodeLongHeader(bytes: Buffer): void;
  _consumeHeader(): boolean;
  _continueWrite(error: Error | null): void;
  _final(callback: (error: Error | null) => void): void;
}

/**
 * The members of a tar stream, in order.
 * @throws MinirtError image.invalid when the archive is cut off or no tar at all
 */
export async function* readTar(
  bytes: AsyncIterable<Uint8Array>,
  options: { readonly mustEnd?: boolean } = {},
): AsyncGenerator<TarEntry> {
  const { extract, hasEnded } = openExtract();
  let cause: unknown;
  const fed = feed(bytes, extract).catch((error: unknown) => {
    cause = error;
    extract.destroy(error instanceof Error ? error : new Error(messageOf(error)));
  });
  const explain = (error: unknown): unknown => {
    if (cause !== undefined) return cause;
    if (error instanceof MinirtError) return error;
    return new MinirtError('image.invalid', `read tar: ${messageOf(error)}`, { cause: error });
  };
  async function* guarded(content: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    try {
      yield* content;
    } catch (error) {
      throw explain(error);
    }
  }
  try {
    // Streamx's types do not know what its streams yield.
    for await (const member of extract) yield toEntry(member, guarded(member as unknown as AsyncIterable<Uint8Array>));
    await fed;
    if (options.mustEnd === true && !hasEnded()) throw new Error('Unexpected end of data');
  } catch (error) {
    throw explain(error);
  } finally {
    extract.destroy();
    await fed;
  }
}

/**
 * tar-stream decodes PAX records as UTF-8, which destroys file capabilities and other bytes, and reads on behind the end
 * of the archive, where anything may follow.
 */
function openExtract(): { extract: Extract; hasEnded: () => boolean } {
  const options = { filenameEncoding: 'latin1', allowUnknownFormat: true };
  const extract = (createExtract as (options: object) => Extract)(options);
  const inner = extract as unknown as Internals;
  const decodeLong = inner._decodeLongHeader.bind(inner);
  const consumeHeader = inner._consumeHeader.bind(inner);
  const final = inner._final.bind(inner);
  const drop = (): void => {
    while (inner._buffer.buffered > 0) inner._buffer.shiftFirst(inner._buffer.buffered);
  };
  let ended = false;
  inner._decodeLongHeader = (bytes) => {
    if (bytes.length > LARGEST_PAX)
      throw new MinirtError('image.invalid', `read tar: extended header: over ${LARGEST_PAX} bytes`);
    if (inner._header?.type === 'pax-header') inner._pax = { ...inner._paxGlobal, ...parsePax(bytes) };
    else if (inner._header?.type === 'pax-global-header')
      inner._paxGlobal = { ...inner._paxGlobal, ...parsePax(bytes) };
    else decodeLong(bytes);
  };
  inner._consumeHeader = () => {
    if (ended) {
      drop();
      inner._continueWrite(null);
      return false;
    }
    const goesOn = consumeHeader();
    if (goesOn && inner._header === null) ended = true;
    return goesOn;
  };
  inner._final = (callback) => {
    if (ended) drop();
    final(callback);
  };
  return { extract, hasEnded: () => ended };
}

/** `LENGTH KEY=VALUE\n`, as often as there are records (pax(1)). */
export function parsePax(bytes: Buffer): Record<string, string> {
  const records: Record<string, string> = Object.create(null) as Record<string, string>;
  for (let at = 0; at < bytes.length;) {
    const blank = bytes.indexOf(0x20, at);
    const digits = blank < 0 ? '' : bytes.toString('latin1', at, blank);
    const end = at + Number(digits);
    if (!/^[0-9]{1,8}$/.test(digits) || end > bytes.length || end <= blank + 1 || bytes[end - 1] !== 0x0a) {
      throw new MinirtError('image.invalid', 'read tar: extended header: malformed record');
    }
    const record = bytes.toString('latin1', blank + 1, end - 1);
    const equals = record.indexOf('=');
    if (equals <= 0) throw new MinirtError('image.invalid', 'read tar: extended header: record without a key');
    records[record.slice(0, equals)] = record.slice(equals + 1);
    at = end;
  }
  if (records['size'] !== undefined && !/^[0-9]{1,15}$/.test(records['size'])) {
    throw new MinirtError('image.invalid', `read tar: extended header: size ${JSON.stringify(records['size'])}`);
  }
  return records;
}

async function feed(bytes: AsyncIterable<Uint8Array>, extract: Extract): Promise<void> {
  const closed = new Promise<void>((resolve) => extract.once('close', resolve));
  for await (const chunk of bytes) {
    if (extract.destroyed) return;
    if (!extract.write(chunk))
      await Promise.race([new Promise<void>((resolve) => extract.once('drain', resolve)), closed]);
  }
  if (!extract.destroyed) extract.end(undefined);
}

function toEntry({ header }: { readonly header: Header }, content: AsyncIterable<Uint8Array>): TarEntry {
  return {
    name: header.name,
    // tar-stream says null where there is none, whatever its types say.
    linkname: header.linkname ?? '',
    type: typeOf(header.type),
    size: header.size,
    mode: header.mode,
    uid: header.uid,
    gid: header.gid,
    mtimeMs: header.mtime.getTime(),
    major: header.devmajor,
    minor: header.devminor,
    pax: new Map(Object.entries((header.pax as Readonly<Record<string, string>> | null) ?? {})),
    content,
  };
}

function typeOf(type: Header['type'] | null): EntryType | undefined {
  switch (type) {
    case 'file':
    case 'link':
    case 'symlink':
    case 'character-device':
    case 'block-device':
    case 'directory':
    case 'fifo':
      return type;
    case 'contiguous-file':
      return 'file';
    default:
      return undefined;
  }
}
