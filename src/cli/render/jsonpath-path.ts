/** A name without quotes; a backslash makes any character part of it. */
const NAME = /(?:\\.|[^\s.,[\]$@{}()=<>!&|"'\\])+/y;
const QUOTED = /'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"/y;
const SELECTOR = /\s*(?:\*|-?\d*:-?\d*(?::-?\d*)?|-?\d+)\s*/y;

/**
 * kubectl's path as one of RFC 9535: names may hold hyphens and escaped dots, `$` or nothing begins it. Undefined for
 * what is no path.
 */
export function toRfc9535(text: string): string | undefined {
  const reader = new Reader(text);
  reader.take(/[$@]?/y);
  const path = steps(reader);
  return path !== undefined && reader.isAtEnd ? `$${path}` : undefined;
}

class Reader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#text.length;
  }

  /** What a sticky pattern matches here, which is then behind us. */
  take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    this.#at += found?.length ?? 0;
    return found;
  }
}

function steps(reader: Reader): string | undefined {
  let path = '';
  for (;;) {
    const dots = reader.take(/\.{1,2}/y);
    if (reader.take(/\[/y) !== undefined) {
      const inner = selectors(reader);
      if (inner === undefined || reader.take(/\]/y) === undefined) return undefined;
      path += `${dots === '..' ? '..' : ''}[${inner}]`;
    } else if (dots === undefined) return path;
    else if (reader.take(/\*/y) !== undefined) path += `${dots}*`;
    else {
      const name = reader.take(NAME);
      // A lone dot is the thing itself.
      if (name === undefined) return path === '' && dots === '.' ? path : undefined;
      path += `${dots === '..' ? '..' : ''}[${quoted(name)}]`;
    }
  }
}

function selectors(reader: Reader): string | undefined {
  if (reader.take(/\s*\?\(/y) !== undefined) return filter(reader);
  const found: string[] = [];
  do {
    const name = reader.take(QUOTED);
    const selector = name === undefined ? reader.take(SELECTOR)?.trim() : quoted(name.slice(1, -1));
    if (selector === undefined) return undefined;
    found.push(selector);
  } while (reader.take(/\s*,\s*/y) !== undefined);
  return found.join(',');
}

function filter(reader: Reader): string | undefined {
  let text = '';
  while (reader.take(/\)/y) === undefined) {
    const origin = reader.take(/[@$]/y);
    const literal = origin === undefined ? reader.take(QUOTED) : undefined;
    const part =
      origin === undefined
        ? literal === undefined
          ? reader.take(/\s+|[=<>!&|]+|-?[\w.]+/y)
          : quoted(literal.slice(1, -1))
        : steps(reader);
    if (part === undefined) return undefined;
    text += (origin ?? '') + part;
  }
  return `?(${text})`;
}

function quoted(name: string): string {
  return JSON.stringify(name.replace(/\\(.)/gs, '$1'));
}
