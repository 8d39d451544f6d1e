import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { MinirtError, isErrno, messageOf } from '../base/errors.ts';

export function writeJson(path: string, value: unknown): void {
  writeAtomically(path, `${JSON.stringify(value, undefined, 2)}\n`);
}

export function writeAtomically(path: string, text: string): void {
  const draft = `${path}.${process.pid}.tmp`;
  writeFileSync(draft, text, { mode: 0o600 });
  renameSync(draft, path);
}

/** Undefined when there is no such file; throws `state.corrupt` when it is no JSON. */
export function readJson<T>(path: string): T | undefined {
  const text = readText(path);
  if (text === undefined) return undefined;
  try {
    return JSON.parse(text) as T;
  } catch (error) {
    throw new MinirtError('state.corrupt', `read ${path}: ${messageOf(error)}`, { cause: error });
  }
}

/** Undefined when there is no such file. */
export function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}
