import { MinirtError } from '../../base/errors.ts';
import { type JsonObject, isObject, parseObject, textIn } from '../json.ts';
import type { Reference } from '../reference.ts';

/** Who asks: a name and a password, or an identity token that is traded for access tokens. */
export type Credentials =
  | { readonly kind: 'password'; readonly username: string; readonly password: string }
  | { readonly kind: 'identity'; readonly token: string };

/** Credentials for a registry, or for the part of it that `key` names: `ghcr.io`, `quay.io/org`. */
export interface KnownCredentials {
  readonly key: string;
  readonly credentials: Credentials;
}

/** The other names of Docker's registry in files that `docker login` and others write. */
const DOCKER = new Set(['docker.io', 'index.docker.io', 'registry-1.docker.io']);

/**
 * The credentials in a `config.json` of Docker or an `auth.json` of Podman; of the kind `dockercfg` when there is no `auths` about
 * them. Entries without any (a credential helper keeps them) are left out.
 * @throws MinirtError image.invalid
 */
export function parseAuths(bytes: Uint8Array, what: string, form: 'config' | 'dockercfg'): readonly KnownCredentials[] {
  const document = parseObject(bytes, what);
  const auths = form === 'config' ? (document['auths'] ?? {}) : document;
  if (!isObject(auths)) throw new MinirtError('image.invalid', `read ${what}: auths: not an object`);
  return Object.entries(auths).flatMap(([key, entry]) => {
    if (!isObject(entry)) throw new MinirtError('image.invalid', `read ${what}: ${key}: not an object`);
    const credentials = credentialsIn(entry, what);
    return credentials === undefined ? [] : [{ key: plainKey(key), credentials }];
  });
}

function credentialsIn(entry: JsonObject, what: string): Credentials | undefined {
  const token = textIn(entry, 'identitytoken', what);
  if (token !== undefined) return { kind: 'identity', token };
  const auth = textIn(entry, 'auth', what);
  if (auth !== undefined) return parsePair(Buffer.from(auth, 'base64').toString('utf8').replace(/\0+$/, ''));
  const username = textIn(entry, 'username', what);
  const password = textIn(entry, 'password', what);
  return username === undefined || password === undefined ? undefined : { kind: 'password', username, password };
}

/** `NAME:PASSWORD`; undefined without a colon. */
export function parsePair(text: string): Credentials | undefined {
  const colon = text.indexOf(':');
  if (colon <= 0) return undefined;
  return { kind: 'password', username: text.slice(0, colon), password: text.slice(colon + 1) };
}

/** A key without what old versions of Docker put about the host: `https://index.docker.io/v1/`. */
export function plainKey(key: string): string {
  const bare = key.replace(/^https?:\/\//, '').replace(/\/+$/, '');
  return bare.replace(/\/v[12]$/, '');
}

/** Those that are for a reference, the most particular first. */
export function credentialsFor(
  known: readonly KnownCredentials[],
  { domain, path }: Pick<Reference, 'domain' | 'path'>,
): readonly Credentials[] {
  const names = DOCKER.has(domain) ? [...DOCKER].map((host) => `${host}/${path}`) : [`${domain}/${path}`];
  return known
    .filter(({ key }) => names.some((name) => name === key || name.startsWith(`${key}/`)))
    .toSorted((a, b) => b.key.length - a.key.length)
    .map(({ credentials }) => credentials);
}
