import { readFileSync, readlinkSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { isErrno } from '../base/errors.ts';
import { DEFAULT_NETWORK, cacheFile, networkPaths } from '../network/paths.ts';
import { parseSubnet } from '../network/subnet.ts';
import type { Roots } from '../state/paths.ts';
import { namesIn } from './known.ts';
import type { Known } from './known.ts';
import type { Leak } from './leak.ts';

/** Addresses that host-local keeps for pods which are not there, and attachments of such pods. */
export function leakedAddresses(roots: Roots, known: Known): Leak[] {
  const paths = networkPaths(roots.state);
  const reserved = join(paths.ipam, DEFAULT_NETWORK);
  const addresses = namesIn(reserved).flatMap((name): Leak[] => {
    if (parseSubnet(name) === undefined) return [];
    // host-local writes the container id and the device, each on a line (its backend/disk).
    const pod = readText(join(reserved, name))?.split(/\r?\n/)[0]?.trim();
    if (pod === undefined || known.pods.has(pod)) return [];
    return [
      { kind: 'address', what: join(reserved, name), pod, detail: `${name} is reserved for a pod that is not there` },
    ];
  });
  const cached = namesIn(paths.cache).flatMap((name): Leak[] => {
    const [, pod] = /^(.*)\.json$/.exec(name) ?? [];
    if (pod === undefined || known.pods.has(pod)) return [];
    return [{ kind: 'file', what: cacheFile(paths, pod), pod, detail: 'attachment of a pod that is not there' }];
  });
  return [...addresses, ...cached];
}

/** Sockets that no pod and no supervisor accounts for, and the supervisor's when nobody listens on it. */
export function leakedSockets(roots: Roots, known: Known): Leak[] {
  const listening = readText('/proc/net/unix') ?? '';
  return namesIn(join(roots.state, 's')).flatMap((name): Leak[] => {
    const what = join(roots.state, 's', name);
    if (!isSocket(what)) return [];
    if (!known.sockets.has(what)) return [{ kind: 'socket', what, pod: undefined, detail: 'of no pod' }];
    const heard = listening.split('\n').some((line) => line.endsWith(` ${what}`));
    if (name !== 'supervisor' || heard) return [];
    return [{ kind: 'socket', what, pod: undefined, detail: 'nobody listens on it' }];
  });
}

/** Names that lead to no pod, namespace files without mounts, and writable layers of pods that are not there. */
export function leakedFiles(roots: Roots, known: Known): Leak[] {
  const index = join(roots.state, 'index');
  const names = namesIn(index).flatMap((namespace) =>
    namesIn(join(index, namespace)).flatMap((name): Leak[] => {
      const what = join(index, namespace, name);
      const pod = readText(what)?.trim();
      if (pod === undefined || pod === '' || known.pods.has(pod)) return [];
      return [{ kind: 'file', what, pod, detail: 'name of a pod that is not there' }];
    }),
  );
  const namespaces = foldersOf(join(roots.state, 'm'), known, 'namespace files of a pod that is not there');
  // Several states may share a root: only what this one wrote is judged.
  const bulk = foldersOf(join(roots.root, 'pods'), known, 'data of a pod that is not there').filter(
    ({ what }) => ownerOf(what) === resolve(roots.state),
  );
  return [...names, ...namespaces, ...bulk];
}

/** The state folder that a pod's bulky data belongs to; undefined when it does not say. */
function ownerOf(bulk: string): string | undefined {
  try {
    return readlinkSync(join(bulk, 'state'));
  } catch (error) {
    if (isErrno(error, 'ENOENT') || isErrno(error, 'EINVAL')) return undefined;
    throw error;
  }
}

function foldersOf(dir: string, known: Known, detail: string): Leak[] {
  return namesIn(dir).flatMap((pod): Leak[] => {
    return known.pods.has(pod) ? [] : [{ kind: 'file', what: join(dir, pod), pod, detail }];
  });
}

function isSocket(path: string): boolean {
  try {
    return statSync(path).isSocket();
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return false;
    throw error;
  }
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (isErrno(error, 'ENOENT') || isErrno(error, 'EISDIR')) return undefined;
    throw error;
  }
}
