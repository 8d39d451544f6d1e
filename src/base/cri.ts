/** One line of a log in the CRI format: `TIME STREAM TAG CONTENT`. */
export interface CriEntry {
  /** RFC 3339 with nanoseconds, as written. */
  readonly time: string;
  readonly stream: 'stdout' | 'stderr';
  /** Whether the line goes on in the stream's next entry. */
  readonly partial: boolean;
  /** Bytes, not text: a container may print anything. */
  readonly content: Buffer;
}

const SPACE = 0x20;
const NEWLINE = 0x0a;

/** Parses one line without its newline; undefined for what is not CRI (cri-client pkg/logs: parseCRILog). */
export function parseCriLine(line: Buffer): CriEntry | undefined {
  const timeEnd = line.indexOf(SPACE);
  const streamEnd = line.indexOf(SPACE, timeEnd + 1);
  if (timeEnd <= 0 || streamEnd < 0) return undefined;
  const found = line.indexOf(SPACE, streamEnd + 1);
  // A writer may leave out the blank before an empty content.
  const tagEnd = found < 0 ? line.length : found;
  const time = line.toString('latin1', 0, timeEnd);
  const stream = line.toString('latin1', timeEnd + 1, streamEnd);
  const [tag] = line.toString('latin1', streamEnd + 1, tagEnd).split(':');
  if (!/^\d{4}-\d\d-\d\dT/.test(time) || (stream !== 'stdout' && stream !== 'stderr')) return undefined;
  if (tag !== 'P' && tag !== 'F') return undefined;
  return { time, stream, partial: tag === 'P', content: line.subarray(tagEnd + 1) };
}

/** Cuts a stream of bytes into lines, without their newlines. */
export class LineSplitter {
  #rest: Buffer = Buffer.alloc(0);

  push(chunk: Buffer): readonly Buffer[] {
    const bytes = this.#rest.length === 0 ? chunk : Buffer.concat([this.#rest, chunk]);
    const lines: Buffer[] = [];
    let from = 0;
    for (let to = bytes.indexOf(NEWLINE); to >= 0; to = bytes.indexOf(NEWLINE, from)) {
      lines.push(bytes.subarray(from, to));
      from = to + 1;
    }
    this.#rest = bytes.subarray(from);
    return lines;
  }
}

/** A time in the fixed width that `--timestamps` prints: nine digits after the point. */
export function fixedTime(time: string): string {
  const match = /^(.{19})(?:\.(\d+))?(.*)$/.exec(time);
  return match === null ? time : `${match[1]}.${(match[2] ?? '').slice(0, 9).padEnd(9, '0')}${match[3]}`;
}
