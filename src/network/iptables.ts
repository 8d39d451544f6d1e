import { MinirtError, isErrno, messageOf } from '../base/errors.ts';
import { runCommand } from '../sys/command.ts';

/** A rule of the host's firewall, in the words of iptables. */
export interface Rule {
  readonly table: 'nat' | 'filter';
  readonly chain: string;
  readonly words: readonly string[];
}

/** Puts a rule at the head of its chain, unless it is there. */
export async function ensureRule({ table, chain, words }: Rule, signal: AbortSignal): Promise<void> {
  const there = await attempt(['-t', table, '-C', chain, ...words], signal);
  if (there.code !== 0) await iptables(['-t', table, '-I', chain, ...words], signal);
}

/** The rules of a table, or of one of its chains, that `wanted` picks. Empty where the kernel or the host has none. */
export async function listRules(
  table: Rule['table'],
  signal: AbortSignal,
  wanted: (rule: Rule) => boolean,
): Promise<Rule[]> {
  const { code, stdout } = await attempt(['-t', table, '-S'], signal);
  if (code !== 0) return [];
  return stdout.split('\n').flatMap((line) => {
    const [verb, chain, ...words] = splitWords(line);
    const rule = verb === '-A' && chain !== undefined ? { table, chain, words } : undefined;
    return rule !== undefined && wanted(rule) ? [rule] : [];
  });
}

/** No error when it is gone already. */
export async function deleteRule({ table, chain, words }: Rule, signal: AbortSignal): Promise<void> {
  await attempt(['-t', table, '-D', chain, ...words], signal);
}

/** Deletes a chain that nobody jumps to; one that is in use or gone stays as it is. */
export async function deleteChain(table: Rule['table'], chain: string, signal: AbortSignal): Promise<void> {
  await attempt(['-t', table, '-F', chain], signal);
  await attempt(['-t', table, '-X', chain], signal);
}

/** The words of a line as iptables prints it: blanks separate, double quotes hold together. */
export function splitWords(line: string): string[] {
  return [...line.matchAll(/"((?:[^"\\]|\\.)*)"|(\S+)/g)].map(([, quoted, plain]) => {
    return quoted === undefined ? (plain ?? '') : quoted.replaceAll(/\\(.)/g, '$1');
  });
}

async function iptables(words: readonly string[], signal: AbortSignal): Promise<void> {
  const { code, stderr } = await attempt(words, signal);
  if (code === 0) return;
  throw new MinirtError('network.failed', `run iptables ${words.join(' ')}: ${stderr.trim()}`, {
    ...(code === undefined ? { hint: 'apt install iptables' } : {}),
  });
}

/** With the lock that iptables itself waits for. A program that is not there has no exit status. */
async function attempt(
  words: readonly string[],
  signal: AbortSignal,
): Promise<{ readonly code: number | undefined; readonly stdout: string; readonly stderr: string }> {
  try {
    return await runCommand('iptables', ['-w', '5', ...words], { signal });
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error;
    return { code: undefined, stdout: '', stderr: messageOf(error) };
  }
}
