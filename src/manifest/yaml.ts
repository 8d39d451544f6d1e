import { type Node as YamlNode, type Pair, Scalar, isAlias, isMap, isScalar, parseAllDocuments } from 'yaml';
import { tooDeepAt } from './depth.ts';
import type { Entry, Node, Path } from './node.ts';
import { resolvePlain, type ScalarValue } from './scalar.ts';

/** Levels of nesting; a Pod needs about 12. */
const DEEPEST = 100;
/** Values that aliases may stand for, all together: more is a bomb. */
const MOST_ALIASED = 10_000;

const TAG = 'tag:yaml.org,2002:';

/** Something wrong with the text as such, at an offset. */
export interface Flaw {
  readonly at: number;
  /** Of the value it is in; empty for the document as a whole. */
  readonly path: Path;
  readonly message: string;
}

export interface Documents {
  /** The documents that could be read, empty ones left out. */
  readonly roots: readonly Node[];
  readonly flaws: readonly Flaw[];
}

/** Reads YAML or JSON, one or more documents, with kubectl's meaning of every word. Never throws. */
export function readDocuments(text: string): Documents {
  const control = /[\0-\x08\x0b\x0c\x0e-\x1f\x7f]/.exec(text);
  if (control !== null) return { roots: [], flaws: [flaw(control.index, 'control characters are not allowed')] };
  const deep = tooDeepAt(text, DEEPEST);
  if (deep !== undefined) return { roots: [], flaws: [flaw(deep, 'nested too deeply')] };
  const roots: Node[] = [];
  const flaws: Flaw[] = [];
  try {
    // The failsafe schema leaves every word to resolvePlain; duplicates are found here, in linear time.
    const options = { schema: 'failsafe', prettyErrors: false, uniqueKeys: false, logLevel: 'silent' } as const;
    for (const document of parseAllDocuments(text, options)) {
      const [error] = document.errors; // those that follow are mostly echoes of the first
      if (error !== undefined) {
        const why = /call stack/.test(error.message) ? 'nested too deeply' : error.message;
        flaws.push(flaw(error.pos[0], why));
        continue;
      }
      const root = convertDocument(document.contents, flaws);
      if (root !== undefined) roots.push(root);
    }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    flaws.push(flaw(0, 'nested too deeply'));
  }
  return { roots, flaws };
}

function flaw(at: number, why: string, path: Path = []): Flaw {
  return { at, path, message: `not valid YAML: ${why}` };
}

/** Ends the reading of one document. */
class Stop extends Error {
  readonly at: number;
  readonly path: Path;

  constructor(at: number, path: Path, message: string) {
    super(message);
    this.at = at;
    this.path = path;
  }
}

interface Conversion {
  readonly flaws: Flaw[];
  readonly anchors: Map<string, { readonly node: Node; readonly size: number }>;
  /** Values so far, those behind aliases counted every time. */
  size: number;
  aliased: number;
}

function convertDocument(contents: YamlNode | null, flaws: Flaw[]): Node | undefined {
  if (contents === null) return undefined;
  try {
    const root = convert(contents, { flaws, anchors: new Map(), size: 0, aliased: 0 }, []);
    return root.kind === 'scalar' && root.value === null ? undefined : root;
  } catch (error) {
    if (!(error instanceof Stop)) throw error;
    flaws.push(flaw(error.at, error.message, error.path));
    return undefined;
  }
}

function convert(node: YamlNode, conversion: Conversion, path: Path): Node {
  const at = node.range?.[0] ?? 0;
  if (path.length > DEEPEST) throw new Stop(at, path, 'nested too deeply');
  const before = conversion.size;
  conversion.size++;
  if (isAlias(node)) {
    const target = conversion.anchors.get(node.source);
    if (target === undefined) throw new Stop(at, path, `unknown anchor "${node.source}"`);
    conversion.size += target.size;
    conversion.aliased += target.size;
    if (conversion.aliased > MOST_ALIASED) throw new Stop(at, path, 'document contains excessive aliasing');
    return target.node;
  }
  const converted = convertBody(node, conversion, path);
  const { anchor } = node as { anchor?: string };
  if (anchor !== undefined) conversion.anchors.set(anchor, { node: converted, size: conversion.size - before });
  return converted;
}

function convertBody(node: YamlNode, conversion: Conversion, path: Path): Node {
  const at = node.range?.[0] ?? 0;
  if (isScalar(node)) return { kind: 'scalar', value: scalarValue(node, conversion, path), at };
  if (isMap(node)) {
    expectTag(node.tag, 'map', at);
    return { kind: 'map', entries: convertPairs(node.items, conversion, path), at };
  }
  const list = node as unknown as { readonly items: readonly YamlNode[]; readonly tag?: string };
  expectTag(list.tag, 'seq', at);
  return { kind: 'list', items: list.items.map((item, i) => convert(item, conversion, [...path, i])), at };
}

function convertPairs(pairs: readonly Pair[], conversion: Conversion, path: Path): ReadonlyMap<string, Entry> {
  const entries = new Map<string, Entry>();
  const merged: Node[] = [];
  for (const pair of pairs) {
    const key = pair.key as YamlNode | null;
    const keyAt = key?.range?.[0] ?? 0;
    if (!isScalar(key) || (key.value === '' && key.type === Scalar.PLAIN))
      throw new Stop(keyAt, path, 'a key must be a word');
    const name = String(key.value);
    const here = [...path, name];
    const value = pair.value as YamlNode | null;
    const node: Node = value === null ? { kind: 'scalar', value: null, at: keyAt } : convert(value, conversion, here);
    if (name === '<<' && key.type === Scalar.PLAIN) merged.push(...(node.kind === 'list' ? node.items : [node]));
    else if (entries.has(name))
      conversion.flaws.push({ at: keyAt, path: here, message: `duplicate field ${JSON.stringify(name)}` });
    else entries.set(name, { keyAt, node });
  }
  for (const node of merged) {
    if (node.kind !== 'map') throw new Stop(node.at, path, 'map merge requires map or sequence of maps as the value');
    for (const [name, entry] of node.entries) if (!entries.has(name)) entries.set(name, entry);
  }
  return entries;
}

function scalarValue(node: Scalar, { flaws }: Conversion, path: Path): ScalarValue {
  const text = String(node.value);
  switch (node.tag) {
    case undefined:
      return node.type === Scalar.PLAIN ? resolvePlain(text) : text;
    case '!':
    case `${TAG}str`:
      return text;
    case `${TAG}binary`:
      return Buffer.from(text, 'base64').toString('utf8');
    case `${TAG}null`:
    case `${TAG}bool`:
    case `${TAG}int`:
    case `${TAG}float`:
      return resolvePlain(text);
    default:
      flaws.push(flaw(node.range?.[0] ?? 0, `unknown tag ${node.tag}`, path));
      return text;
  }
}

function expectTag(tag: string | undefined, name: 'map' | 'seq', at: number): void {
  if (tag !== undefined && tag !== '!' && tag !== TAG + name) throw new Stop(at, [], `unknown tag ${tag}`);
}
