/** `$(VAR)` as Kubernetes expands it (third_party/forked/golang/expansion; kubelet makeEnvironmentVariables). Pure. */
import type { EnvEntry, EnvSource, EnvVar } from './pod.ts';

/**
 * The values of `env` over those that are `given`, each expanded from the variables before it; one that comes from
 * somewhere else is taken as it is, and left out when it is undefined. A name that is set twice keeps its first place
 * and its last value.
 */
export function expandEnv(
  env: readonly EnvEntry[],
  given: ReadonlyMap<string, string>,
  valueOf: (source: EnvSource) => string | undefined,
): readonly EnvVar[] {
  const known = new Map(given);
  for (const entry of env) {
    const value = 'from' in entry ? valueOf(entry.from) : expand(entry.value, known);
    if (value !== undefined) known.set(entry.name, value);
  }
  return [...known].map(([name, value]) => ({ name, value }));
}

/** The words of command or args, expanded from the whole environment of the container. */
export function expandArgs(words: readonly string[], env: readonly EnvVar[]): readonly string[] {
  const known = new Map(env.map(({ name, value }) => [name, value]));
  return words.map((word) => expand(word, known));
}

/** A text that needs all its variables: those that are unknown or empty, else the text (ExpandContainerVolumeMounts). */
export function expandAll(
  text: string,
  env: readonly EnvVar[],
): { readonly text: string; readonly missing: readonly string[] } {
  const known = new Map(env.map(({ name, value }) => [name, value]));
  const missing = new Set<string>();
  const expanded = expand(text, {
    get: (name) => {
      const value = known.get(name) ?? '';
      if (value === '') missing.add(name);
      return value;
    },
  });
  return { text: expanded, missing: [...missing].toSorted() };
}

/** What variables are looked up in. */
type Known = Pick<ReadonlyMap<string, string>, 'get'>;

/**
 * Replaces `$(NAME)`. A name that is not known stays as it is written, `$$` is one `$` (so `$$(NAME)` gives `$(NAME)`),
 * and a `$` before anything else, or one whose parenthesis never closes, is just itself. Nothing is expanded twice.
 */
function expand(text: string, known: Known): string {
  let out = '';
  let rest = 0;
  for (let at = text.indexOf('$'); at !== -1 && at + 1 < text.length; at = text.indexOf('$', rest)) {
    out += text.slice(rest, at);
    const [written, length] = reference(text, at, known);
    out += written;
    rest = at + length;
  }
  return out + text.slice(rest);
}

/** What the `$` at `at` stands for, and how many characters that took. */
function reference(text: string, at: number, known: Known): readonly [string, number] {
  if (text[at + 1] === '$') return ['$', 2];
  if (text[at + 1] !== '(') return [text.slice(at, at + 2), 2];
  const end = text.indexOf(')', at + 2);
  if (end === -1) return ['$(', 2];
  const name = text.slice(at + 2, end);
  return [known.get(name) ?? `$(${name})`, end + 1 - at];
}
