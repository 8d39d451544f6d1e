import { accessSync, constants } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { MinirtError } from '../base/errors.ts';

/**
 * Path of the native helper: MINIRT_HELPER, else the one that was built beside this package.
 * @throws MinirtError helper.missing
 */
export function helperPath(): string {
  const path = process.env['MINIRT_HELPER'] ?? join(packageRoot(), 'native', 'build', 'minirt-helper');
  try {
    accessSync(path, constants.X_OK);
  } catch (cause) {
    throw new MinirtError('helper.missing', `find helper: ${path}: not there or not executable`, {
      cause,
      hint: 'Build it: make -C native',
    });
  }
  return path;
}

/** Two folders above this file, in `src` as in `dist`. */
function packageRoot(): string {
  return join(dirname(fileURLToPath(import.meta.url)), '..', '..');
}
