import { containerTables } from './fields/container.ts';
import { objectTables } from './fields/objects.ts';
import { podTables } from './fields/pod.ts';
import type { Field, Rows } from './fields/row.ts';
import { schedulingTables } from './fields/scheduling.ts';
import { securityTables } from './fields/security.ts';
import { volumeTables } from './fields/volume.ts';

export type { Field, Rows };

/**
 * Every field of a Kubernetes 1.36 Pod, and of what configures it, and what minirt does with it. The decoder reads it, docs/pod-fields.md prints it,
 * and a test compares it with the types that Kubernetes publishes. To support a field is to change its row here.
 */
export const fieldTables: Readonly<Record<string, Rows>> = {
  ...podTables,
  ...containerTables,
  ...securityTables,
  ...volumeTables,
  ...schedulingTables,
  ...objectTables,
};

/** A field's type, taken apart. */
export type Shape =
  | { readonly kind: 'scalar'; readonly type: string }
  | { readonly kind: 'list'; readonly of: string }
  | { readonly kind: 'map'; readonly of: string }
  | { readonly kind: 'object'; readonly rows: Rows };

/** Takes a type of `Field.type` apart; a name that is no table is a scalar. */
export function shapeOf(type: string): Shape {
  if (type.startsWith('[]')) return { kind: 'list', of: type.slice(2) };
  if (type.startsWith('map[string]')) return { kind: 'map', of: type.slice('map[string]'.length) };
  const rows = fieldTables[type];
  return rows === undefined ? { kind: 'scalar', type } : { kind: 'object', rows };
}

/** The row of a field, looked up safely: a manifest may say `constructor:`. */
export function fieldOf(rows: Rows, name: string): Field | undefined {
  return Object.hasOwn(rows, name) ? rows[name] : undefined;
}
