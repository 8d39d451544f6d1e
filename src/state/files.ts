import { closeSync, fsyncSync, mkdirSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { dirname } from 'node:path';
import { MinirtError, isErrno, messageOf } from '../base/errors.ts';

/** Makes a folder (and its parents) that only root can look into. */
export function privateFolder(path: string): void {
  try {
    mkdirSync(path, { recursive: true, mode: 0o700 });
  } catch (error) {
    const hint = isErrno(error, 'EROFS') ? 'choose a writable folder with --state and --root' : undefined;
    throw new MinirtError('io', `make folder: ${path}: ${messageOf(error)}`, {
      cause: error,
      ...(hint === undefined ? {} : { hint }),
    });
  }
}

/**
 * Replaces a file at once, or not at all: a reader sees the old content or the new. `durable` also survives a power cut,
 * which files below `--state` need not (they are void after a boot).
 */
export function writeAtomically(path: string, text: string, options: { readonly durable?: boolean } = {}): void {
  const draft = `${path}.${process.pid}.tmp`;
  try {
    const fd = openSync(draft, 'w', 0o600);
    try {
      writeSync(fd, text);
      if (options.durable === true) fsyncSync(fd);
    } finally {
      closeSync(fd);
    }
    renameSync(draft, path);
    if (options.durable === true) syncFolder(dirname(path));
  } catch (error) {
    rmSync(draft, { force: true });
    throw new MinirtError('io', `write ${path}: ${messageOf(error)}`, { cause: error });
  }
}

function syncFolder(path: string): void {
  const fd = openSync(path, 'r');
  try {
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
}
