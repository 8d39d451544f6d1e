import { expect } from 'vitest';

/** What a race says that nobody saw: no proof of anything, neither of a defence nor of the lack of one. */
export const NEVER_HIT = 'the race never happened';

/** Says how often a race was seen to happen; never is a failure. */
export function expectHits(race: string, hits: number, tries: number): void {
  process.stdout.write(`${race}: hit ${hits} times in ${tries}\n`);
  expect(hits, NEVER_HIT).toBeGreaterThan(0);
}
