/** What a registry asks for in `WWW-Authenticate` (RFC 9110, 11.6.1). */
export interface Challenge {
  /** Lower case: `bearer`, `basic`. */
  readonly scheme: string;
  /** By lower-case name. */
  readonly parameters: ReadonlyMap<string, string>;
}

const TOKEN = /[!#$%&'*+\-.^_`|~0-9A-Za-z]+/y;
const QUOTED = /"((?:[^"\\]|\\.)*)"/y;
const GAP = /[ \t]*/y;

/** The challenges of a header's values; what cannot be read ends the value that it stands in. */
export function parseChallenges(header: string | readonly string[] | undefined): readonly Challenge[] {
  const values = header === undefined ? [] : typeof header === 'string' ? [header] : header;
  return values.flatMap(challengesOf);
}

function challengesOf(text: string): readonly Challenge[] {
  const found: { scheme: string; parameters: Map<string, string> }[] = [];
  let at = 0;
  const take = (pattern: RegExp): RegExpExecArray | undefined => {
    pattern.lastIndex = at;
    const match = pattern.exec(text) ?? undefined;
    if (match !== undefined) at += match[0].length;
    return match;
  };
  while (at < text.length) {
    take(GAP);
    if (text[at] === ',') {
      at++;
      continue;
    }
    const word = take(TOKEN)?.[0].toLowerCase();
    if (word === undefined) return found;
    take(GAP);
    if (text[at] !== '=') {
      found.push({ scheme: word, parameters: new Map() });
      continue;
    }
    at++;
    take(GAP);
    const quoted = take(QUOTED)?.[1]?.replace(/\\(.)/g, '$1');
    const value = quoted ?? take(TOKEN)?.[0];
    const last = found.at(-1);
    if (value === undefined || last === undefined) return found;
    last.parameters.set(word, value);
  }
  return found;
}
