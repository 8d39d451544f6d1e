import type { Platform } from './manifest.ts';

/** Reads `linux/arm64`, `linux/arm/v7` or `arm64`; undefined for anything else. */
export function parsePlatform(text: string): Platform | undefined {
  const parts = text.split('/');
  if (!parts.every((part) => /^[a-z0-9_.]+$/.test(part))) return undefined;
  const [os = 'linux', architecture, variant, ...more] = parts.length === 1 ? ['linux', ...parts] : parts;
  if (architecture === undefined || more.length > 0) return undefined;
  return { os, architecture, ...(variant === undefined ? {} : { variant }) };
}
