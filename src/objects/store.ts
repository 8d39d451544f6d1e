import { randomUUID } from 'node:crypto';
import { lstatSync, mkdirSync, rmdirSync, statfsSync } from 'node:fs';
import { readFile, readdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { MinirtError, isErrno, messageOf } from '../base/errors.ts';
import {
  type ConfigMap,
  type ConfigObject,
  type ObjectSource,
  type Secret,
  buildConfigMap,
  buildSecret,
} from '../manifest/objects.ts';
import { privateFolder, writeAtomically } from '../state/files.ts';
import type { Roots } from '../state/paths.ts';
import { stateTag } from '../sys/state-tag.ts';

export type ObjectKind = ConfigObject['kind'];

/** kubectl's word for several of a kind. */
export const PLURAL = { ConfigMap: 'configmaps', Secret: 'secrets' } as const satisfies Record<ObjectKind, string>;

/** statfs(2) */
const TMPFS = 0x01021994;
const SHARED_MEMORY = '/dev/shm';
const FILE = 'object.json';

/**
 * ConfigMaps and Secrets by namespace and name, kept until they are deleted, readable by root alone. Secrets are on a
 * tmpfs only, so they are gone after a reboot; ConfigMaps stay.
 */
export class ObjectStore implements ObjectSource {
  readonly #roots: Roots;

  constructor(roots: Roots) {
    this.#roots = roots;
  }

  async configMap(namespace: string, name: string): Promise<ConfigMap | undefined> {
    const found = await this.find('ConfigMap', namespace, name);
    return found?.kind === 'ConfigMap' ? found : undefined;
  }

  async secret(namespace: string, name: string): Promise<Secret | undefined> {
    const found = await this.find('Secret', namespace, name);
    return found?.kind === 'Secret' ? found : undefined;
  }

  async find(kind: ObjectKind, namespace: string, name: string): Promise<ConfigObject | undefined> {
    const path = join(this.#folder(kind, namespace), name, FILE);
    const text = await readFile(path, 'utf8').catch((error: unknown) => {
      if (isErrno(error, 'ENOENT')) return undefined;
      throw new MinirtError('io', `read ${path}: ${messageOf(error)}`, { cause: error });
    });
    if (text === undefined) return undefined;
    try {
      const object = JSON.parse(text) as never;
      return kind === 'ConfigMap' ? buildConfigMap(object) : buildSecret(object);
    } catch (error) {
      const hint = 'bring it again with `minirt apply -f FILE`';
      throw new MinirtError('state.corrupt', `read ${path}: ${messageOf(error)}`, { cause: error, hint });
    }
  }

  /** All of a kind by name, of one namespace or, for undefined, of all of them. */
  async list(kind: ObjectKind, namespace: string | undefined): Promise<readonly ConfigObject[]> {
    const namespaces = namespace === undefined ? await entries(this.#base(kind)) : [namespace];
    const found: ConfigObject[] = [];
    for (const one of namespaces) {
      for (const name of await entries(this.#folder(kind, one))) {
        const object = await this.find(kind, one, name);
        if (object !== undefined) found.push(object);
      }
    }
    return found;
  }

  /** Keeps an object, in place of an earlier one of its name. MinirtError object.exists when that was immutable. */
  async put(object: ConfigObject): Promise<'created' | 'configured' | 'unchanged'> {
    const { kind, namespace, name } = object;
    const before = await this.find(kind, namespace, name);
    if (before !== undefined && isDeepStrictEqual(essence(before), essence(object))) return 'unchanged';
    if (before?.immutable === true) refuseChange(before, object);
    const { uid, creationTimestamp, resourceVersion = '0' } = before?.object.metadata ?? {};
    const metadata = {
      ...object.object.metadata,
      uid: uid ?? randomUUID(),
      creationTimestamp: creationTimestamp ?? new Date().toISOString().replace(/\.\d+Z$/, 'Z'),
      resourceVersion: String(Number(resourceVersion) + 1),
    };
    if (kind === 'Secret') this.#makeSecretsFolder();
    const folder = join(this.#folder(kind, namespace), name);
    privateFolder(folder);
    const durable = kind === 'ConfigMap';
    const stored = { ...object.object, apiVersion: 'v1', kind, metadata };
    writeAtomically(join(folder, FILE), `${JSON.stringify(stored)}\n`, { durable });
    return before === undefined ? 'created' : 'configured';
  }

  /** Answers whether there was one. */
  async remove(kind: ObjectKind, namespace: string, name: string): Promise<boolean> {
    const folder = join(this.#folder(kind, namespace), name);
    try {
      await rm(join(folder, FILE));
    } catch (error) {
      if (isErrno(error, 'ENOENT')) return false;
      throw new MinirtError('io', `delete ${folder}: ${messageOf(error)}`, { cause: error });
    }
    removeEmpty(folder, dirname(this.#base(kind)));
    return true;
  }

  #folder(kind: ObjectKind, namespace: string): string {
    return join(this.#base(kind), namespace);
  }

  #base(kind: ObjectKind): string {
    return join(kind === 'Secret' ? secretsFolder(this.#roots) : join(this.#roots.root, 'objects'), PLURAL[kind]);
  }

  /** The shared memory of a host is open to everybody, so nothing there is taken over that is not surely ours. */
  #makeSecretsFolder(): void {
    const folder = secretsFolder(this.#roots);
    if (!folder.startsWith(`${SHARED_MEMORY}/`)) return privateFolder(folder);
    try {
      mkdirSync(folder, { mode: 0o700 });
    } catch (error) {
      if (!isErrno(error, 'EEXIST'))
        throw new MinirtError('io', `make ${folder}: ${messageOf(error)}`, { cause: error });
    }
    const { uid, mode } = lstatSync(folder);
    if (uid === 0 && (mode & 0o170_777) === 0o040_700) return;
    const hint = 'remove it, or choose a --state on a tmpfs';
    throw new MinirtError('io', `keep secrets: ${folder}: it is not a folder of root's alone`, { hint });
  }
}

/** Where Secrets are: within the state folder when that is on a tmpfs, else in the host's shared memory. */
export function secretsFolder({ state }: Roots): string {
  if (isTmpfs(state)) return join(state, 'objects');
  if (isTmpfs(SHARED_MEMORY)) return join(SHARED_MEMORY, `minirt-${stateTag(state)}`);
  throw new MinirtError('host.unsupported', `keep secrets: neither ${state} nor ${SHARED_MEMORY} is on a tmpfs`, {
    hint: 'choose a --state on a tmpfs: Secrets are never written to a disk',
  });
}

function isTmpfs(path: string): boolean {
  try {
    return statfsSync(path).type === TMPFS;
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return false;
    throw error;
  }
}

/** What makes an object another one: all but what the store itself adds. */
function essence({ object }: ConfigObject): unknown {
  const { metadata = {}, apiVersion: _version, kind: _kind, ...rest } = object;
  const { uid: _uid, creationTimestamp: _time, resourceVersion: _resource, ...written } = metadata;
  return { ...rest, metadata: written };
}

function refuseChange(before: ConfigObject, after: ConfigObject): void {
  const keeps = after.immutable && isDeepStrictEqual(contents(before), contents(after));
  if (keeps) return;
  const what = `${PLURAL[before.kind]} ${JSON.stringify(before.name)}`;
  throw new MinirtError('object.exists', `${what}: data: Forbidden: field is immutable when \`immutable\` is set`, {
    hint: 'delete it first',
  });
}

function contents(object: ConfigObject): unknown {
  return object.kind === 'Secret' ? [object.type, object.data] : [object.data, object.binaryData];
}

async function entries(folder: string): Promise<readonly string[]> {
  try {
    return (await readdir(folder)).toSorted();
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return [];
    throw error;
  }
}

/** Removes folders upwards as long as nothing is in them, `top` at last. */
function removeEmpty(folder: string, top: string): void {
  try {
    for (let at = folder; at.startsWith(top); at = dirname(at)) rmdirSync(at);
  } catch (error) {
    if (!isErrno(error, 'ENOTEMPTY') && !isErrno(error, 'ENOENT')) throw error;
  }
}
