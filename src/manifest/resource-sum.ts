/** What the containers of a pod ask for together (k8s.io/component-helpers/resource: AggregateContainerRequests). Pure. */
import { nanos } from './quantity.ts';
import type { Role } from './pod.ts';

/** Amounts by resource name, in {@link nanos}. */
export type Amounts = ReadonlyMap<string, bigint>;

export interface Part {
  readonly role: Role;
  readonly amounts: Readonly<Record<string, string>>;
}

/**
 * Main containers and sidecars run at the same time; an init container runs beside the sidecars before it only. `parts`:
 * in the order in which they start.
 */
export function together(parts: readonly Part[]): Amounts {
  let steady: Amounts = new Map();
  let sidecars: Amounts = new Map();
  let peak: Amounts = new Map();
  for (const { role, amounts } of parts) {
    const own = counted(amounts);
    if (role === 'init') peak = largest(peak, sum(sidecars, own));
    else steady = sum(steady, own);
    if (role === 'sidecar') sidecars = sum(sidecars, own);
  }
  return largest(steady, peak);
}

/** Amounts as they are written, counted. */
export function counted(amounts: Readonly<Record<string, string>>): Amounts {
  return new Map(Object.entries(amounts).map(([name, amount]) => [name, nanos(amount)]));
}

function sum(a: Amounts, b: Amounts): Amounts {
  return merged(a, b, (one, other) => one + other);
}

function largest(a: Amounts, b: Amounts): Amounts {
  return merged(a, b, (one, other) => (one > other ? one : other));
}

function merged(a: Amounts, b: Amounts, both: (one: bigint, other: bigint) => bigint): Amounts {
  const result = new Map(a);
  for (const [name, amount] of b) result.set(name, both(result.get(name) ?? 0n, amount));
  return result;
}
