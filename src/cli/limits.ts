import { DEFAULT_LIMITS, type Limits } from '../image/limits.ts';
import { divided, isQuantity, nanos } from '../manifest/quantity.ts';
import { integerOption } from './duration.ts';
import { type OptionSpec, usage } from './verb.ts';

/** What {@link limitOptions} say. */
export interface LimitFlags {
  readonly maxFiles?: number;
  readonly maxSize?: number;
  readonly maxRatio?: number;
}

/** For every verb that brings images in. */
export const limitOptions: readonly OptionSpec[] = [
  {
    flags: '--max-files <n>',
    text: `refuse an image of more files (default ${DEFAULT_LIMITS.entries})`,
    parse: integerOption('--max-files', 1),
  },
  {
    flags: '--max-size <quantity>',
    text: `refuse an image that unpacks to more (default ${DEFAULT_LIMITS.bytes / 2 ** 30}Gi)`,
    parse: parseSize,
  },
  {
    flags: '--max-ratio <n>',
    text: `refuse a layer over 1Gi that is more than N times its packed size (default ${DEFAULT_LIMITS.ratio})`,
    parse: integerOption('--max-ratio', 1),
  },
];

/** The limits that flags leave. */
export function limitsOf({ maxFiles, maxSize, maxRatio }: LimitFlags): Limits {
  return {
    entries: maxFiles ?? DEFAULT_LIMITS.entries,
    bytes: maxSize ?? DEFAULT_LIMITS.bytes,
    ratio: maxRatio ?? DEFAULT_LIMITS.ratio,
  };
}

function parseSize(word: string): number {
  if (isQuantity(word) && nanos(word) > 0n) return Number(divided(nanos(word), '1'));
  throw usage(`--max-size: "${word}" is not an amount of bytes`, 'for example 20Gi');
}
