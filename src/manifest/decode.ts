import { isDeepStrictEqual } from 'node:util';
import { type Field, type Rows, fieldOf, shapeOf } from './fields.ts';
import { nearest } from '../base/nearest.ts';
import { type MapNode, type Node, type Path, toValue, typeName } from './node.ts';
import type { Report } from './problem.ts';
import { checkScalar } from './wire-type.ts';

/** What happens to fields that minirt does not know or not yet act on. */
export type Stance = 'strict' | 'warn' | 'ignore';

export interface Decoded {
  /** The object with every field that Kubernetes knows; what could not be read is missing from it. */
  readonly value: Record<string, unknown>;
  /** Fields that `warn` and `ignore` leave out; the value still has them, for the checks. */
  readonly dropped: readonly Path[];
}

interface Decoding {
  readonly report: Report;
  readonly stance: Stance;
  readonly dropped: Path[];
}

/** Reads a node by the table of `rows`: every unknown, refused or wrongly typed field is reported with its place. */
export function decode(root: MapNode, rows: Rows, report: Report, stance: Stance): Decoded {
  const decoding: Decoding = { report, stance, dropped: [] };
  const value = decodeObject(decoding, root, rows, { path: [], covered: undefined });
  return { value, dropped: decoding.dropped };
}

interface Here {
  readonly path: Path;
  /** The status for which something above was already reported: once is enough. */
  readonly covered: 'not-yet' | 'refused' | undefined;
}

function decodeObject(decoding: Decoding, node: MapNode, rows: Rows, here: Here): Record<string, unknown> {
  const members: [string, unknown][] = [];
  for (const [name, { keyAt, node: child }] of node.entries) {
    const path = [...here.path, name];
    const field = fieldOf(rows, name);
    if (field === undefined) {
      unknownField(decoding, { rows, name, path, at: keyAt });
      continue;
    }
    if (child.kind === 'scalar' && child.value === null) continue; // null is absence
    const covered = isNeutral(child, field) ? here.covered : judge(decoding, field, { ...here, path }, keyAt);
    const value = decodeValue(decoding, child, field.type, { path, covered });
    if (value === undefined) continue;
    checkEnumeration(decoding, field, value, path);
    members.push([name, value]);
  }
  return Object.fromEntries(members);
}

function unknownField(
  decoding: Decoding,
  { rows, name, path, at }: { readonly rows: Rows; readonly name: string; readonly path: Path; readonly at: number },
): void {
  const meant = nearest(name, Object.keys(rows));
  const message = `unknown field ${JSON.stringify(name)}${meant === undefined ? '' : `; did you mean "${meant}"?`}`;
  if (decoding.stance === 'strict') decoding.report.problem(path, message, at);
  else if (decoding.stance === 'warn') decoding.report.notice(path, message, at);
}

/** Whether the value is what Kubernetes would assume anyway. */
function isNeutral(node: Node, field: Field): boolean {
  if (node.kind === 'list') return node.items.length === 0;
  if (node.kind === 'map' && node.entries.size === 0 && shapeOf(field.type).kind === 'map') return true;
  if (field.neutral.length === 0) return false;
  const value = toValue(node);
  return field.neutral.some((neutral) => isDeepStrictEqual(neutral, value));
}

/** Says what the field's status asks to say, and returns what covers the fields below it. */
function judge({ report, stance, dropped }: Decoding, field: Field, here: Here, at: number): Here['covered'] {
  const { path, covered } = here;
  if (field.status === 'refused') {
    if (covered !== 'refused') report.problem(path, `Forbidden: ${field.note}`, at);
    return 'refused';
  }
  if (field.status !== 'not-yet' || covered !== undefined) return covered;
  if (stance === 'strict') report.problem(path, 'not yet supported', at);
  else dropped.push(path);
  if (stance === 'warn') report.notice(path, 'not yet supported; ignored', at);
  return 'not-yet';
}

function checkEnumeration({ report }: Decoding, { values }: Field, value: unknown, path: Path): void {
  if (values === undefined || typeof value !== 'string' || value === '' || values.includes(value)) return;
  const listed = values.toSorted().map((one) => JSON.stringify(one));
  report.problem(path, `Unsupported value: ${JSON.stringify(value)}: supported values: ${listed.join(', ')}`);
}

/** The plain value; undefined when the type is wrong, which has then been reported. */
function decodeValue(decoding: Decoding, node: Node, type: string, here: Here): unknown {
  const shape = shapeOf(type);
  const wrong = (wanted: string): undefined => {
    decoding.report.unreadable(here.path, `Invalid value: "${typeName(node)}": must be of type ${wanted}`, node.at);
  };
  switch (shape.kind) {
    case 'scalar': {
      if (type === 'any') return toValue(node);
      const { value, complaint } = checkScalar(node, type);
      if (complaint !== undefined) decoding.report.unreadable(here.path, complaint, node.at);
      return value;
    }
    case 'list':
      if (node.kind !== 'list') return wrong('array');
      // A hole keeps the place of an item that could not be read, so that later indexes are right.
      return node.items.map((item, i) => {
        const value = decodeValue(decoding, item, shape.of, { ...here, path: [...here.path, i] });
        return value ?? (shapeOf(shape.of).kind === 'object' ? {} : '');
      });
    case 'map': {
      if (node.kind !== 'map') return wrong('object');
      const members = [...node.entries].map(([key, entry]): [string, unknown] => {
        return [key, decodeValue(decoding, entry.node, shape.of, { ...here, path: [...here.path, { key }] }) ?? ''];
      });
      return Object.fromEntries(members);
    }
    case 'object':
      return node.kind === 'map' ? decodeObject(decoding, node, shape.rows, here) : wrong('object');
    default:
      return shape satisfies never;
  }
}
