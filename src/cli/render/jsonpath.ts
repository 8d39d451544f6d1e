import { query } from 'jsonpath-rfc9535';
import { usage } from '../verb.ts';
import { toRfc9535 } from './jsonpath-path.ts';

type Node =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'path'; readonly root: boolean; readonly path: string }
  | { readonly kind: 'range'; readonly root: boolean; readonly path: string; readonly body: readonly Node[] };

type Json = Parameters<typeof query>[0];

/**
 * A template in kubectl's JSONPath dialect (client-go util/jsonpath): text, `{.path}`, `{"text"}` and
 * `{range .path}…{end}`. What is not there prints nothing. Throws a usage error for what cannot be understood.
 */
export function jsonPathPrinter(template: string): (object: object) => string {
  const nodes = parse(template);
  return (object) => {
    // Plain JSON, without anything undefined, as a client would have received it.
    const root = JSON.parse(JSON.stringify(object)) as Json;
    return print(nodes, root, root);
  };
}

function print(nodes: readonly Node[], root: Json, current: Json): string {
  return nodes
    .map((node) => {
      if (node.kind === 'text') return node.text;
      const found = query(node.root ? root : current, node.path);
      if (node.kind === 'path') return found.map(valueText).join(' ');
      return found.map((one) => print(node.body, root, one)).join('');
    })
    .join('');
}

function valueText(value: Json): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}

function parse(template: string): readonly Node[] {
  const refuse = (why: string): never => {
    throw usage(`error parsing jsonpath ${template}, ${why}`, "for example -o jsonpath='{.status.phase}'");
  };
  const stack: { readonly node: Omit<Extract<Node, { kind: 'range' }>, 'body'>; readonly before: Node[] }[] = [];
  let nodes: Node[] = [];
  for (const part of parts(template) ?? refuse('unclosed action')) {
    const text = part.action && part.text !== '' ? quotedText(part.text) : part.text;
    const range = part.action ? /^range\s+(.+)$/s.exec(part.text)?.[1] : undefined;
    if (text !== undefined) nodes.push({ kind: 'text', text });
    else if (range !== undefined) {
      stack.push({ node: { kind: 'range', ...pathOf(range, refuse) }, before: nodes });
      nodes = [];
    } else if (part.text === 'end') {
      const { node, before } = stack.pop() ?? refuse('not in range, nothing to end');
      nodes = [...before, { ...node, body: nodes }];
    } else nodes.push({ kind: 'path', ...pathOf(part.text, refuse) });
  }
  return stack.length > 0 ? refuse('unclosed range') : nodes;
}

/** Text and what stands between braces, in turn; undefined when a brace is not closed. */
function parts(template: string): readonly { readonly action: boolean; readonly text: string }[] | undefined {
  const found: { action: boolean; text: string }[] = [];
  for (let at = 0; at < template.length;) {
    const open = template.indexOf('{', at);
    const until = open < 0 ? template.length : open;
    if (until > at) found.push({ action: false, text: template.slice(at, until) });
    if (open < 0) break;
    const close = closing(template, open + 1);
    if (close < 0) return undefined;
    found.push({ action: true, text: template.slice(open + 1, close).trim() });
    at = close + 1;
  }
  return found;
}

/** The brace that closes, leaving out those in quotes. */
function closing(template: string, from: number): number {
  let quote: string | undefined;
  for (let i = from; i < template.length; i++) {
    const char = template.charAt(i);
    if (char === '\\') i++;
    else if (quote !== undefined) quote = char === quote ? undefined : quote;
    else if (char === '"' || char === "'") quote = char;
    else if (char === '}') return i;
  }
  return -1;
}

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', t: '\t', r: '\r' };

function quotedText(action: string): string | undefined {
  const inner = /^"((?:[^"\\]|\\.)*)"$/s.exec(action)?.[1] ?? /^'((?:[^'\\]|\\.)*)'$/s.exec(action)?.[1];
  return inner?.replace(/\\(.)/gs, (_all, char: string) => ESCAPES[char] ?? char);
}

function pathOf(text: string, refuse: (why: string) => never): { readonly root: boolean; readonly path: string } {
  const path = toRfc9535(text);
  try {
    // Against nothing, to learn whether the path makes sense at all.
    if (path !== undefined) query(null, path);
  } catch {
    return refuse(`unrecognized expression ${text}`);
  }
  return path === undefined ? refuse(`unrecognized expression ${text}`) : { root: text.startsWith('$'), path };
}
