import { MinirtError } from '../base/errors.ts';

/** Manifests, configs and indexes: registries allow 4 MiB. */
export const LARGEST_JSON = 4 * 1024 * 1024;

export type JsonObject = Readonly<Record<string, unknown>>;

/**
 * Bytes that somebody else wrote, as a JSON object.
 * @throws MinirtError image.invalid
 */
export function parseObject(bytes: Uint8Array, what: string): JsonObject {
  const value = parseJson(bytes, what);
  if (!isObject(value)) throw new MinirtError('image.invalid', `read ${what}: not a JSON object`);
  return value;
}

export function parseJson(bytes: Uint8Array, what: string): unknown {
  if (bytes.length > LARGEST_JSON) throw new MinirtError('image.invalid', `read ${what}: over ${LARGEST_JSON} bytes`);
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) as unknown;
  } catch (cause) {
    throw new MinirtError('image.invalid', `read ${what}: not JSON`, { cause });
  }
}

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A text, or undefined when there is none (absent, null, empty). */
export function textIn(object: JsonObject, key: string, what: string): string | undefined {
  const value = object[key];
  if (value === undefined || value === null || value === '') return undefined;
  if (typeof value !== 'string' || value.includes('\0'))
    throw new MinirtError('image.invalid', `read ${what}: ${key}: not a text`);
  return value;
}

/** A list of texts; absent and null are empty. */
export function textsIn(object: JsonObject, key: string, what: string): readonly string[] {
  const value = object[key] ?? [];
  if (!Array.isArray(value) || !value.every((item) => typeof item === 'string' && !item.includes('\0'))) {
    throw new MinirtError('image.invalid', `read ${what}: ${key}: not a list of texts`);
  }
  return value as string[];
}
