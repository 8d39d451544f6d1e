/** Where images of a name really come from: registries.conf of containers-registries.conf(5), which Podman and CRI-O read too. */
import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'smol-toml';
import { MinirtError, isErrno, messageOf } from '../../base/errors.ts';
import { isObject } from '../json.ts';
import type { Reference } from '../reference.ts';

const FILE = '/etc/containers/registries.conf';
const FOLDER = '/etc/containers/registries.conf.d';

/** A place that has what a name stands for: a registry, perhaps with the beginning of a repository. */
interface Place {
  readonly location: string;
  /** Any certificate will do, and plain http. */
  readonly insecure: boolean;
}

/** What one `[[registry]]` says. */
export interface RegistryRule extends Place {
  /** Beginning of the names that it is about; `*.example.com`: hosts of that domain. */
  readonly prefix: string;
  readonly blocked: boolean;
  /** In the order in which they are asked. */
  readonly mirrors: readonly (Place & { readonly has: 'all' | 'digest-only' | 'tag-only' })[];
}

/** Where to ask for an image. */
export interface RegistrySource {
  readonly domain: string;
  readonly path: string;
  readonly insecure: boolean;
  readonly isMirror: boolean;
}

/**
 * The rules of this host; of two about the same prefix the later one counts. CONTAINERS_REGISTRIES_CONF names one file instead.
 * @throws MinirtError registry.config for a file that cannot be read
 */
export async function readRegistries(
  env: Readonly<Record<string, string | undefined>>,
): Promise<readonly RegistryRule[]> {
  const named = env['CONTAINERS_REGISTRIES_CONF'];
  const files = named ? [named] : [FILE, ...(await dropIns())];
  const rules = new Map<string, RegistryRule>();
  for (const file of files) {
    const text = await readFile(file, 'utf8').catch((cause: unknown) => {
      if (isErrno(cause, 'ENOENT') && !named) return '';
      throw wrong(file, messageOf(cause));
    });
    for (const rule of parseRegistries(text, file)) rules.set(rule.prefix, rule);
  }
  return [...rules.values()];
}

async function dropIns(): Promise<readonly string[]> {
  const names = await readdir(FOLDER).catch(() => []);
  return names
    .filter((name) => name.endsWith('.conf'))
    .toSorted()
    .map((name) => join(FOLDER, name));
}

/** @throws MinirtError registry.config */
export function parseRegistries(text: string, file: string): readonly RegistryRule[] {
  let document: unknown;
  try {
    document = parse(text);
  } catch (cause) {
    throw wrong(file, messageOf(cause));
  }
  const tables = isObject(document) ? (document['registry'] ?? []) : [];
  if (!Array.isArray(tables)) throw wrong(file, 'registry is no array of tables');
  return tables.map((table: unknown) => ruleOf(table, file));
}

function ruleOf(table: unknown, file: string): RegistryRule {
  const location = textOf(table, 'location', file);
  const prefix = textOf(table, 'prefix', file) || location;
  if (prefix === '') throw wrong(file, 'a registry has neither prefix nor location');
  const mirrors = isObject(table) ? (table['mirror'] ?? []) : [];
  if (!Array.isArray(mirrors)) throw wrong(file, `mirror of ${prefix} is no array of tables`);
  const onlyDigests = flagOf(table, 'mirror-by-digest-only', file);
  return {
    prefix,
    location: location || (prefix.startsWith('*.') ? '' : prefix),
    insecure: flagOf(table, 'insecure', file),
    blocked: flagOf(table, 'blocked', file),
    mirrors: mirrors.map((mirror: unknown) => {
      const has = textOf(mirror, 'pull-from-mirror', file) || (onlyDigests ? 'digest-only' : 'all');
      if (has !== 'all' && has !== 'digest-only' && has !== 'tag-only') {
        throw wrong(file, `pull-from-mirror of ${prefix}: ${JSON.stringify(has)} is not known`);
      }
      const at = textOf(mirror, 'location', file);
      if (at === '') throw wrong(file, `a mirror of ${prefix} has no location`);
      return { location: at, insecure: flagOf(mirror, 'insecure', file), has };
    }),
  };
}

function textOf(table: unknown, key: string, file: string): string {
  const value = isObject(table) ? (table[key] ?? '') : '';
  if (typeof value !== 'string') throw wrong(file, `${key} is no text`);
  return value.replace(/\/+$/, '');
}

function flagOf(table: unknown, key: string, file: string): boolean {
  const value = isObject(table) ? (table[key] ?? false) : false;
  if (typeof value !== 'boolean') throw wrong(file, `${key} is neither true nor false`);
  return value;
}

function wrong(file: string, why: string): MinirtError {
  return new MinirtError('registry.config', `read ${file}: ${why.split('\n')[0] ?? ''}`, {
    hint: 'its form is that of containers-registries.conf(5)',
  });
}

/**
 * The places to ask for an image, one after the other: mirrors first, then its own registry, or where that has moved.
 * @throws MinirtError registry.refused for one that is blocked
 */
export function sourcesOf(rules: readonly RegistryRule[], reference: Reference): readonly RegistrySource[] {
  const { domain, path, digest } = reference;
  const name = `${domain}/${path}`;
  const rule = rules
    .filter(({ prefix }) => isBelow(name, prefix))
    .toSorted((a, b) => b.prefix.length - a.prefix.length)[0];
  if (rule === undefined) return [{ domain, path, insecure: false, isMirror: false }];
  if (rule.blocked) {
    throw new MinirtError('registry.refused', `pull access denied: ${name}: registries.conf blocks ${rule.prefix}`);
  }
  const rest = rule.prefix.startsWith('*.') ? `/${path}` : name.slice(rule.prefix.length);
  const has = digest === undefined ? 'tag-only' : 'digest-only';
  return [
    ...rule.mirrors
      .filter((mirror) => mirror.has === 'all' || mirror.has === has)
      .map((one) => ({ ...one, isMirror: true })),
    { location: rule.location || domain, insecure: rule.insecure, isMirror: false },
  ].map(({ location, insecure, isMirror }) => {
    const [host = '', ...more] = `${location}${rest}`.split('/');
    return { domain: host, path: more.join('/'), insecure, isMirror };
  });
}

function isBelow(name: string, prefix: string): boolean {
  if (prefix.startsWith('*.')) return (name.split('/')[0] ?? '').replace(/:\d+$/, '').endsWith(prefix.slice(1));
  return name === prefix || name.startsWith(`${prefix}/`);
}
