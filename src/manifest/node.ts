/** A document as data with places: what YAML and stored objects are both read into. */
export type Node = ScalarNode | ListNode | MapNode;

export interface ScalarNode {
  readonly kind: 'scalar';
  readonly value: string | number | boolean | null;
  /** Offset into the text, in UTF-16 units; 0 for what never was a text. */
  readonly at: number;
}

export interface ListNode {
  readonly kind: 'list';
  readonly items: readonly Node[];
  readonly at: number;
}

export interface MapNode {
  readonly kind: 'map';
  /** A Map, so that a key such as `__proto__` is a key like any other. */
  readonly entries: ReadonlyMap<string, Entry>;
  readonly at: number;
}

export interface Entry {
  readonly keyAt: number;
  readonly node: Node;
}

/** One step of a path: a field, an index, or (`{ key }`) a key of a map that is data, such as a label. */
export type Step = string | number | { readonly key: string };
export type Path = readonly Step[];

/** Kubernetes' way to write it: `spec.containers[0].name`, `metadata.labels[app]`. */
export function formatPath(path: Path): string {
  return path
    .map((step, i) => {
      if (typeof step === 'string') return i === 0 ? step : `.${step}`;
      return `[${typeof step === 'number' ? step : step.key}]`;
    })
    .join('');
}

/** Where the value at `path` stands; the nearest thing above it that exists when it does not. */
export function locate(root: Node, path: Path): number {
  let node = root;
  let at = root.at;
  for (const step of path) {
    const next = child(node, step);
    if (next === undefined) return at;
    ({ node } = next);
    at = node.kind === 'scalar' && node.value === null ? next.keyAt : node.at;
  }
  return at;
}

function child(node: Node, step: Step): Entry | undefined {
  if (typeof step === 'number') {
    const item = node.kind === 'list' ? node.items[step] : undefined;
    return item === undefined ? undefined : { keyAt: item.at, node: item };
  }
  return node.kind === 'map' ? node.entries.get(typeof step === 'string' ? step : step.key) : undefined;
}

/** The plain value of a node. */
export function toValue(node: Node): unknown {
  if (node.kind === 'scalar') return node.value;
  if (node.kind === 'list') return node.items.map(toValue);
  return Object.fromEntries([...node.entries].map(([key, entry]) => [key, toValue(entry.node)]));
}

/** The node of a plain value (JSON's kinds; `undefined` members are left out, anything else is null). */
export function fromValue(value: unknown): Node {
  if (Array.isArray(value)) return { kind: 'list', items: value.map(fromValue), at: 0 };
  if (typeof value === 'object' && value !== null) {
    const members = Object.entries(value).filter(([, member]) => member !== undefined);
    const entries = new Map(members.map(([key, member]) => [key, { keyAt: 0, node: fromValue(member) }]));
    return { kind: 'map', entries, at: 0 };
  }
  const plain = typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? value : null;
  return { kind: 'scalar', value: plain, at: 0 };
}

/** The JSON name of a node's type, as Kubernetes' type errors call it. */
export function typeName(node: Node): string {
  if (node.kind === 'list') return 'array';
  if (node.kind === 'map') return 'object';
  if (node.value === null) return 'null';
  if (typeof node.value !== 'number') return typeof node.value;
  return Number.isInteger(node.value) ? 'integer' : 'number';
}
