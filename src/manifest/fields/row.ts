/**
 * What minirt does with a field:
 * - `supported`: it acts as in Kubernetes. Of an object: see its own fields.
 * - `not-yet`: refused as `not yet supported`, unless the value is one of `neutral`.
 * - `no-meaning`: accepted and shown, without an effect on a single host.
 * - `refused`: can never work here; the note says why.
 */
export type Status = 'supported' | 'not-yet' | 'no-meaning' | 'refused';

/** The work that will bring a field. */
export type Area = 'lifecycle' | 'configuration' | 'volumes' | 'isolation' | 'resources' | 'networking' | 'images';

export interface Field {
  /**
   * Go's way to write it: `string`, `boolean`, `int32`, `int64`, `Quantity`, `IntOrString`, `Time`, `any`, the name of
   * another table, or one of these after `[]` or `map[string]`.
   */
  readonly type: string;
  readonly status: Status;
  /** Set for `not-yet` only. */
  readonly area: Area | undefined;
  readonly note: string;
  /** Values that change nothing, and are therefore accepted whatever the status. Empty lists and maps always are. */
  readonly neutral: readonly unknown[];
  /** The values of an enumeration. */
  readonly values: readonly string[] | undefined;
  /** What Kubernetes puts in when the field is missing. */
  readonly preset: unknown;
}

export type Rows = Readonly<Record<string, Field>>;

type Extra = Partial<Pick<Field, 'note' | 'neutral' | 'values' | 'preset'>>;

function row(type: string, status: Status, area: Area | undefined, extra: Extra): Field {
  const neutral = [...(extra.neutral ?? []), ...(extra.preset === undefined ? [] : [extra.preset])];
  if (typeof extra.preset === 'string') neutral.push(''); // Kubernetes defaults an empty string too
  return { type, status, area, note: extra.note ?? '', neutral, values: extra.values, preset: extra.preset };
}

export function supported(type: string, extra: Extra = {}): Field {
  return row(type, 'supported', undefined, extra);
}

export function notYet(type: string, area: Area, extra: Extra = {}): Field {
  return row(type, 'not-yet', area, extra);
}

export function noMeaning(type: string, note = '', extra: Extra = {}): Field {
  return row(type, 'no-meaning', undefined, { ...extra, note });
}

export function refused(type: string, reason: string, extra: Extra = {}): Field {
  return row(type, 'refused', undefined, { ...extra, note: reason });
}
