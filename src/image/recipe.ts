import { mkdirSync } from 'node:fs';
import { readFile, readdir, rename, rm, stat } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { MinirtError, isErrno } from '../base/errors.ts';
import { removeTree } from '../helper/fsops.ts';
import { runCommand } from '../sys/command.ts';
import type { Image, ImageStore } from './store.ts';
import { withLock } from '../helper/flock.ts';

/** Two folders above this file, in `src` as in `dist`. */
const IMAGES = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'images');

/** Lines of a failed build that are shown. */
const LAST_WORDS = 5;

/** Where built recipes are kept: MINIRT_CACHE, else `~/.cache/minirt`. */
export function cacheDir(env: Readonly<Record<string, string | undefined>> = process.env): string {
  return env['MINIRT_CACHE'] ?? join(env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'minirt');
}

/**
 * The image of a recipe in `images/`, under its recipe's name. Builds it unless the cache has it, and stores it unless
 * the store has exactly it; two at once do the work once.
 * @throws MinirtError image.not-found (no such recipe), image.invalid, io
 */
export async function ensureRecipe(store: ImageStore, name: string, signal: AbortSignal): Promise<Image> {
  const archive = await buildRecipe(name, signal);
  const digest = (await readFile(`${archive}.digest`, 'utf8')).trim();
  const here = await store.find(name);
  if (here?.digest === digest) return here;
  const [id] = await store.load({ path: archive }, signal, { source: 'recipe' });
  const image = id === undefined ? undefined : await store.find(id);
  if (image === undefined) throw new MinirtError('internal', `build image: ${name}: it is not in the store`);
  return image;
}

/** The archive of a recipe, from the cache when it is there. Keyed by all the recipe is made of. */
export async function buildRecipe(name: string, signal: AbortSignal): Promise<string> {
  const hashed = await runCommand(join(IMAGES, 'build'), ['--hash', name], { signal });
  if (hashed.code !== 0) throw new MinirtError('image.not-found', `build image: ${name}: ${lastWords(hashed.stderr)}`);
  const cache = join(cacheDir(), 'images');
  const archive = join(cache, `${name}-${hashed.stdout.trim()}.tar`);
  if (await exists(archive)) return archive;
  mkdirSync(cache, { recursive: true, mode: 0o700 });
  return withLock(join(cache, `${name}.lock`), signal, async () => {
    if (await exists(archive)) return archive;
    for (const file of await readdir(cache)) {
      // What a build left that was killed; it held the lock that is held now.
      if (file.startsWith(`.build.${name}.`)) await removeTree(join(cache, file), signal);
    }
    const fresh = `${archive}.new`;
    const base = (await runCommand(join(IMAGES, 'build'), ['--base', name], { signal })).stdout.trim();
    // The same layer, byte for byte, is stored and unpacked once.
    const shared = base === '' ? {} : { MINIRT_BASE_ARCHIVE: await buildRecipe(base, signal) };
    const env = { ...process.env, ...shared } as Readonly<Record<string, string>>;
    const built = await runCommand(join(IMAGES, 'build'), [name, fresh], { env, signal });
    if (built.code !== 0) {
      throw new MinirtError('io', `build image: ${name}: ${lastWords(built.stderr)}`, {
        hint: `see all of it: ${join(IMAGES, 'build')} ${name} /tmp/${name}.tar`,
      });
    }
    await rename(`${fresh}.digest`, `${archive}.digest`);
    await rename(fresh, archive);
    await dropOlder(cache, name, archive);
    return archive;
  });
}

/** What an older recipe of this name made, 190 MB at a time. */
async function dropOlder(cache: string, name: string, archive: string): Promise<void> {
  for (const file of await readdir(cache)) {
    const isOurs =
      file.startsWith(`${name}-`) && /^[0-9a-f]{16}\.tar(?:\.new)?(?:\.digest)?$/.test(file.slice(name.length + 1));
    if (isOurs && !join(cache, file).startsWith(archive)) await rm(join(cache, file), { force: true });
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return false;
    throw error;
  }
}

function lastWords(text: string): string {
  return text.trim().split('\n').slice(-LAST_WORDS).join('; ') || 'the recipe said nothing';
}
