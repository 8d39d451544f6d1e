import { execFileSync } from 'node:child_process';

/**
 * A tree as text, a line for each name, sorted: type, mode, owner, and for all but directories size, time, link count and
 * target; then file capabilities. Directories have sizes and times of their file system.
 */
export function describeTree(dir: string, into: { readonly before?: string } = {}): readonly string[] {
  const script = `${into.before ?? ':'} && cd "$0" && find . -mindepth 1 \\( -type d -printf '%P d %m %U %G\\n' -o -printf '%P %y %m %U %G %s %T@ %n %l\\n' \\) && getcap -r . `;
  const options = { encoding: 'utf8', maxBuffer: 1 << 28, env: { ...process.env, LC_ALL: 'C' } } as const;
  const text = execFileSync('unshare', ['-m', '--propagation', 'private', 'sh', '-c', script, dir], options);
  return text.split('\n').filter(Boolean).toSorted();
}
