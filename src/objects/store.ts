import { randomUUID } from 'node:crypto';
import { lstatSync, mkdirSync, rmdirSync } from 'node:fs';
import { readFile, readdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { MinirtError, isErrno, messageOf } from '../base/errors.ts';
import { withLock } from '../helper/flock.ts';
import { removeTree } from '../helper/fsops.ts';
import { forbiddenChange } from '../manifest/change.ts';
import {
  type Claim,
  type ConfigMap,
  type ObjectKind,
  type ObjectSource,
  type Secret,
  PLURAL,
  type StoredObject,
  buildClaim,
  buildConfigMap,
  buildSecret,
} from '../manifest/objects.ts';
import { privateFolder, writeAtomically } from '../state/files.ts';
import { type Roots, claimDir } from '../state/paths.ts';
import { isInMemory } from '../sys/memory.ts';
import { stateTag } from '../sys/state-tag.ts';

const builders: Readonly<Record<ObjectKind, (object: object) => StoredObject>> = {
  ConfigMap: buildConfigMap,
  Secret: buildSecret,
  PersistentVolumeClaim: buildClaim,
};

/** What became of an object that was applied. */
export type Outcome = 'created' | 'configured' | 'unchanged';

const SHARED_MEMORY = '/dev/shm';
const FILE = 'object.json';
/** What is held under the lock takes milliseconds, and is not left half done. */
const NEVER = new AbortController().signal;

/**
 * ConfigMaps, Secrets and claims by namespace and name, kept until they are deleted, readable by root alone. Secrets are
 * on a tmpfs only, so they are gone after a reboot; the others stay. Read without a lock, for a file is replaced at once;
 * written under one.
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

  async claim(namespace: string, name: string): Promise<Claim | undefined> {
    const found = await this.find('PersistentVolumeClaim', namespace, name);
    return found?.kind === 'PersistentVolumeClaim' ? found : undefined;
  }

  async find(kind: ObjectKind, namespace: string, name: string): Promise<StoredObject | undefined> {
    const path = join(this.#folder(kind, namespace), name, FILE);
    const text = await readFile(path, 'utf8').catch((error: unknown) => {
      if (isErrno(error, 'ENOENT')) return undefined;
      throw new MinirtError('io', `read ${path}: ${messageOf(error)}`, { cause: error });
    });
    if (text === undefined) return undefined;
    try {
      return builders[kind](JSON.parse(text) as object);
    } catch (error) {
      const hint = 'bring it again with `minirt apply -f FILE`';
      throw new MinirtError('state.corrupt', `read ${path}: ${messageOf(error)}`, { cause: error, hint });
    }
  }

  /** All of a kind by name, of one namespace or, for undefined, of all of them. */
  async list(kind: ObjectKind, namespace: string | undefined): Promise<readonly StoredObject[]> {
    const namespaces = namespace === undefined ? await entries(this.#base(kind)) : [namespace];
    const found: StoredObject[] = [];
    for (const one of namespaces) {
      for (const name of await entries(this.#folder(kind, one))) {
        const object = await this.find(kind, one, name);
        if (object !== undefined) found.push(object);
      }
    }
    return found;
  }

  /**
   * Keeps objects whose names are all free, and answers them as they are stored; none of them otherwise, which is
   * MinirtError object.exists.
   */
  create(objects: readonly StoredObject[]): Promise<readonly StoredObject[]> {
    return this.#exclusively(async () => {
      for (const { kind, namespace, name } of objects) {
        if ((await this.find(kind, namespace, name)) === undefined) continue;
        throw new MinirtError('object.exists', `${PLURAL[kind]} ${JSON.stringify(name)} already exists`, {
          hint: '`minirt apply -f FILE` changes it',
        });
      }
      const stored: StoredObject[] = [];
      for (const object of objects) stored.push((await this.#put(object)).object);
      return stored;
    });
  }

  /** Keeps an object, in place of an earlier one of its name. MinirtError object.exists when that must not be changed so. */
  put(object: StoredObject): Promise<Outcome> {
    return this.#exclusively(async () => (await this.#put(object)).outcome);
  }

  /** Answers whether there was one. What a claim's volume holds goes with it. */
  remove(kind: ObjectKind, namespace: string, name: string): Promise<boolean> {
    return this.#exclusively(async () => {
      if ((await this.find(kind, namespace, name)) === undefined) return false;
      // First, so that no later claim of this name finds it.
      if (kind === 'PersistentVolumeClaim') await this.#removeData(namespace, name);
      const folder = join(this.#folder(kind, namespace), name);
      try {
        await rm(join(folder, FILE));
      } catch (error) {
        throw new MinirtError('io', `delete ${folder}: ${messageOf(error)}`, { cause: error });
      }
      removeEmpty(folder, dirname(this.#base(kind)));
      return true;
    });
  }

  async #removeData(namespace: string, name: string): Promise<void> {
    const data = claimDir(this.#roots, { namespace, name });
    await removeTree(data, NEVER);
    removeEmpty(dirname(data), dirname(dirname(data)));
  }

  async #put(object: StoredObject): Promise<{ readonly object: StoredObject; readonly outcome: Outcome }> {
    const { kind, namespace, name } = object;
    const before = await this.find(kind, namespace, name);
    if (before !== undefined && isDeepStrictEqual(essence(before), essence(object))) {
      return { object: before, outcome: 'unchanged' };
    }
    const forbidden = before === undefined ? undefined : forbiddenChange(before, object);
    if (forbidden !== undefined) {
      throw new MinirtError('object.exists', `${kind} ${JSON.stringify(name)} is invalid: ${forbidden}`, {
        hint: 'delete it first',
      });
    }
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
    const durable = kind !== 'Secret';
    const stored = { ...object.object, apiVersion: 'v1', kind, metadata };
    writeAtomically(join(folder, FILE), `${JSON.stringify(stored)}\n`, { durable });
    return { object: builders[kind](stored), outcome: before === undefined ? 'created' : 'configured' };
  }

  #exclusively<T>(work: () => Promise<T>): Promise<T> {
    privateFolder(this.#roots.root);
    return withLock(join(this.#roots.root, 'objects.lock'), NEVER, work);
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
  if (isInMemory(state)) return join(state, 'objects');
  if (isInMemory(SHARED_MEMORY)) return join(SHARED_MEMORY, `minirt-${stateTag(state)}`);
  throw new MinirtError('host.unsupported', `keep secrets: neither ${state} nor ${SHARED_MEMORY} is on a tmpfs`, {
    hint: 'choose a --state on a tmpfs: Secrets are never written to a disk',
  });
}

/** What makes an object another one: all but what the store itself adds. */
function essence({ object }: StoredObject): unknown {
  const { metadata = {}, apiVersion: _version, kind: _kind, ...rest } = object;
  const { uid: _uid, creationTimestamp: _time, resourceVersion: _resource, ...written } = metadata;
  const spec = 'spec' in rest ? { ...rest.spec, volumeName: undefined } : undefined;
  return { ...rest, spec, metadata: written };
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
