import { randomBytes } from 'node:crypto';
import { chmod, mkdir, readFile, readdir, readlink, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { isErrno } from '../../base/errors.ts';
import type { Files } from './files.ts';

const DATA = '..data';
/** The new link until it takes the place of the old one. */
const DATA_DRAFT = '..data_tmp';
const FOLDER_MODE = 0o755;

/**
 * Makes the files of a volume these, all at once for who reads them: they lie in a dated folder, to which `..data` leads,
 * and what containers see are links by way of that (pkg/volume/util/atomic_writer.go). Nothing is done when they are the
 * same. Only this process may write to the folder. `ready` is called when the new ones are there and nobody sees them.
 */
export async function writeVolume(folder: string, files: Files, ready: () => Promise<void>): Promise<void> {
  const current = await linkAt(join(folder, DATA));
  let wanted = current;
  if (current === undefined || !(await holds(join(folder, current), files))) {
    wanted = await makeDated(folder, files);
    await ready();
    await rm(join(folder, DATA_DRAFT), { force: true });
    await symlink(wanted, join(folder, DATA_DRAFT));
    await rename(join(folder, DATA_DRAFT), join(folder, DATA));
  }
  await showFiles(folder, files);
  await sweep(folder, wanted);
}

async function makeDated(folder: string, files: Files): Promise<string> {
  const stamp = new Date().toISOString().slice(0, 19).replaceAll(/[-T:]/g, '_');
  const name = `..${stamp}.${randomBytes(5).readUIntBE(0, 5)}`;
  const dated = join(folder, name);
  await mkdir(dated);
  await chmod(dated, FOLDER_MODE);
  for (const [path, { bytes, mode }] of files) {
    await makeFolders(dated, dirname(path));
    await writeFile(join(dated, path), bytes, { flag: 'wx', mode: 0o600 });
    // Not by open: the umask takes part in that.
    await chmod(join(dated, path), mode);
  }
  return name;
}

/** Like mkdir -p, but with the same mode whatever the umask. */
async function makeFolders(base: string, path: string): Promise<void> {
  if (path === '.') return;
  await makeFolders(base, dirname(path));
  try {
    await mkdir(join(base, path));
    await chmod(join(base, path), FOLDER_MODE);
  } catch (error) {
    if (!isErrno(error, 'EEXIST')) throw error;
  }
}

/** Whether a dated folder has just these files. */
async function holds(dated: string, files: Files): Promise<boolean> {
  const found = await filesBelow(dated);
  if (found.length !== files.size) return false;
  for (const path of found) {
    const file = files.get(path);
    if (file === undefined || !file.bytes.equals(await readFile(join(dated, path)))) return false;
  }
  return true;
}

async function filesBelow(folder: string, prefix = ''): Promise<readonly string[]> {
  const found: string[] = [];
  for (const entry of await readdir(join(folder, prefix), { withFileTypes: true })) {
    const path = join(prefix, entry.name);
    found.push(...(entry.isDirectory() ? await filesBelow(folder, path) : [path]));
  }
  return found;
}

/** One link for each first name of a path; what none of them has any more goes. */
async function showFiles(folder: string, files: Files): Promise<void> {
  const wanted = new Set([...files.keys()].map((path) => path.split('/')[0] ?? path));
  for (const name of wanted) {
    await symlink(join(DATA, name), join(folder, name)).catch((error: unknown) => {
      if (!isErrno(error, 'EEXIST')) throw error;
    });
  }
  for (const name of await readdir(folder)) {
    if (!name.startsWith('..') && !wanted.has(name)) await rm(join(folder, name), { recursive: true, force: true });
  }
}

/** Dated folders of earlier times, and of writers that died over theirs. */
async function sweep(folder: string, current: string | undefined): Promise<void> {
  for (const name of await readdir(folder)) {
    if (name.startsWith('..') && name !== DATA && name !== current) {
      await rm(join(folder, name), { recursive: true, force: true });
    }
  }
}

async function linkAt(path: string): Promise<string | undefined> {
  try {
    return await readlink(path);
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}
