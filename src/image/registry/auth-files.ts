import { randomBytes } from 'node:crypto';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { MinirtError, isErrno, messageOf } from '../../base/errors.ts';
import { isObject, parseObject } from '../json.ts';
import { type KnownCredentials, parseAuths, plainKey } from './credentials.ts';
import { askHelper, helperFor } from './helpers.ts';

type Env = Readonly<Record<string, string | undefined>>;

/** What `docker login` writes for Docker's registry. */
const DOCKER_KEY = 'https://index.docker.io/v1/';

/** Files with credentials, the first that counts first: a file that is named by the environment excludes all others. */
export function authFiles(env: Env): readonly string[] {
  const named = env['REGISTRY_AUTH_FILE'];
  if (named) return [named];
  const runtime = env['XDG_RUNTIME_DIR'];
  return [dockerConfig(env), ...(runtime ? [join(runtime, 'containers', 'auth.json')] : [])];
}

/** Where `login` keeps credentials: Docker's own file, or the one that the environment names. */
export function loginFile(env: Env): string {
  return env['REGISTRY_AUTH_FILE'] || dockerConfig(env);
}

function dockerConfig(env: Env): string {
  return join(env['DOCKER_CONFIG'] || join(env['HOME'] || '/root', '.docker'), 'config.json');
}

/**
 * What the files hold that are there, or else what the helpers that they name keep for a registry.
 * @throws MinirtError image.invalid, io, registry.refused
 */
export async function readAuthFiles(env: Env, domain: string): Promise<readonly KnownCredentials[]> {
  const found: KnownCredentials[] = [];
  for (const path of authFiles(env)) {
    const bytes = await readIfThere(path);
    if (bytes === undefined) continue;
    const own = parseAuths(bytes, path, 'config');
    found.push(...own);
    // A helper leaves an empty entry; one that is not was put there by somebody who knew of no helper.
    if (own.some(({ key }) => key === plainKey(keyOf(domain)) || key === domain)) continue;
    const helper = helperFor(parseObject(bytes, path), { domain, key: keyOf(domain) }, path);
    const kept = helper === undefined ? undefined : await askHelper(helper, env);
    if (kept !== undefined) found.push({ key: domain, credentials: kept });
  }
  return found;
}

/** What files and helpers call a registry. */
function keyOf(domain: string): string {
  return domain === 'docker.io' ? DOCKER_KEY : domain;
}

/**
 * Puts a registry's credentials into the file that `login` writes, or removes them for undefined; all else in it stays. Answers the
 * file, or undefined when there was nothing to remove.
 * @throws MinirtError image.invalid, io
 */
export async function keepCredentials(
  env: Env,
  registry: string,
  credentials: { readonly username: string; readonly password: string } | undefined,
): Promise<string | undefined> {
  const path = loginFile(env);
  const bytes = await readIfThere(path);
  const document = bytes === undefined ? {} : parseObject(bytes, path);
  const auths = document['auths'] ?? {};
  if (!isObject(auths)) throw new MinirtError('image.invalid', `read ${path}: auths: not an object`);
  const key = keyOf(registry);
  const others = Object.entries(auths).filter(([one]) => plainKey(one) !== plainKey(key));
  if (credentials === undefined && others.length === Object.keys(auths).length) return undefined;
  const { username, password } = credentials ?? { username: '', password: '' };
  const auth = Buffer.from(`${username}:${password}`).toString('base64');
  const kept = Object.fromEntries([...others, ...(credentials === undefined ? [] : [[key, { auth }] as const])]);
  await replace(path, `${JSON.stringify({ ...document, auths: kept }, undefined, '\t')}\n`);
  return path;
}

async function readIfThere(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path);
  } catch (cause) {
    if (isErrno(cause, 'ENOENT') || isErrno(cause, 'ENOTDIR')) return undefined;
    throw new MinirtError('io', `read ${path}: ${messageOf(cause)}`, { cause });
  }
}

async function replace(path: string, text: string): Promise<void> {
  const fresh = `${path}.${randomBytes(4).toString('hex')}`;
  try {
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    await writeFile(fresh, text, { flag: 'wx', mode: 0o600 });
    await rename(fresh, path);
  } catch (cause) {
    throw new MinirtError('io', `write ${path}: ${messageOf(cause)}`, { cause });
  }
}
