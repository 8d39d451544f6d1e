import { Lexer } from 'yaml';

/** Columns that a line of structure may be indented by; a Pod needs about 40. */
const WIDEST = 500;

/** What the lexer says beside pieces of the text: a document, a scalar, the end of a broken flow. */
const MARKS = new Set(['\u0002', '\u001f', '\u0018']);

/**
 * Where a text is nested more than `deepest` levels, if it is. Told before parsing: the parser recurses, and a tower of
 * brackets may take the whole process down with it.
 */
export function tooDeepAt(text: string, deepest: number): number | undefined {
  let offset = 0;
  let flow = 0;
  let indent = 0;
  let atLineStart = true;
  for (const token of new Lexer().lex(text)) {
    if (MARKS.has(token)) {
      if (token === '\u001f') atLineStart = false;
      continue;
    }
    if (token === '[' || token === '{') flow++;
    else if (token === ']' || token === '}') flow = Math.max(0, flow - 1);
    if (token.endsWith('\n')) {
      atLineStart = true;
      indent = 0;
    } else if (atLineStart && flow === 0) {
      indent += token.length;
    }
    if (flow > deepest || indent > WIDEST) return offset;
    offset += token.length;
  }
  return undefined;
}
