import { readFileSync } from 'node:fs';

/** One line of a mount table (proc(5), `/proc/pid/mountinfo`). */
export interface MountEntry {
  readonly id: number;
  /** `major:minor` of the filesystem. */
  readonly device: string;
  /** The folder of the filesystem that is seen here. */
  readonly root: string;
  readonly mountPoint: string;
  readonly options: readonly string[];
  /** Propagation and the like: `shared:1`, `master:2`. */
  readonly tags: readonly string[];
  readonly type: string;
  readonly source: string;
  readonly superOptions: readonly string[];
}

/** Parses a mount table; lines that are none are left out. */
export function parseMountinfo(text: string): MountEntry[] {
  return text.split('\n').flatMap((line) => {
    const [left, right] = splitOnce(line, ' - ');
    const [id, , device, root, mountPoint, options, ...tags] = left.split(' ');
    const [type, source, superOptions] = (right ?? '').split(' ');
    if (mountPoint === undefined || root === undefined || device === undefined || type === undefined) return [];
    return [
      {
        id: Number(id),
        device,
        root: unescapeOctal(root),
        mountPoint: unescapeOctal(mountPoint),
        options: (options ?? '').split(','),
        tags,
        type,
        source: unescapeOctal(source ?? ''),
        superOptions: (superOptions ?? '').split(','),
      },
    ];
  });
}

/** This process's mounts. */
export function readMountinfo(path = '/proc/self/mountinfo'): MountEntry[] {
  return parseMountinfo(readFileSync(path, 'utf8'));
}

/** The kernel writes blank, tab, newline and backslash as three octal digits. */
function unescapeOctal(text: string): string {
  if (!text.includes('\\')) return text;
  const bytes = Buffer.from(text, 'utf8').toString('latin1');
  const plain = bytes.replace(/\\([0-7]{3})/g, (_, digits: string) => String.fromCharCode(Number.parseInt(digits, 8)));
  return Buffer.from(plain, 'latin1').toString('utf8');
}

function splitOnce(text: string, at: string): [string, string | undefined] {
  const index = text.indexOf(at);
  return index < 0 ? [text, undefined] : [text.slice(0, index), text.slice(index + at.length)];
}
