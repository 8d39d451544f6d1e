import { createHash } from 'node:crypto';
import { resolve } from 'node:path';

/**
 * Eight hex digits that stand for a `--state` folder in names the whole host shares: cgroups, bridges, units. Two
 * minirts with different state folders never touch each other's.
 */
export function stateTag(state: string): string {
  return createHash('sha256').update(resolve(state)).digest('hex').slice(0, 8);
}
