import { readdirSync, statfsSync } from 'node:fs';
import { isErrno } from '../base/errors.ts';
import type { Attachment, Capabilities, CniResult, NetworkList } from './cni.ts';
import { readJson } from './json-file.ts';
import { type NetworkPaths, cacheFile, networkPaths } from './paths.ts';

/** A pod's device in its own network namespace. */
export const INTERFACE = 'eth0';

/** statfs(2) of a kept namespace. */
const NSFS_MAGIC = 0x6e736673;

/** Who is attached, or to be detached. */
export interface PodOnNetwork {
  readonly state: string;
  readonly uid: string;
  readonly name: string;
  readonly namespace: string;
}

/** What is known about one attachment, so that it can be checked, and undone after a crash. */
export interface Cached {
  readonly list: NetworkList;
  readonly attachment: Attachment;
  readonly capabilities: Capabilities;
  /** Whose it is: `namespace/name`. */
  readonly pod: string;
  /** Absent while ADD is under way. */
  readonly result?: CniResult;
}

export function readCached(paths: NetworkPaths, uid: string): Cached | undefined {
  const read = readJson<Partial<Cached> & Omit<Cached, 'capabilities' | 'pod'>>(cacheFile(paths, uid));
  // One that an earlier minirt of this boot wrote knows less.
  return read && { capabilities: {}, pod: uid, ...read };
}

/** Uids of the pods that are attached, or are being attached or detached. */
export function attachedPods(state: string): string[] {
  try {
    return readdirSync(networkPaths(state).cache).flatMap((name) => /^(.*)\.json$/.exec(name)?.[1] ?? []);
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return [];
    throw error;
  }
}

/** All attachments of a state folder; one that goes meanwhile is left out. */
export function attachments(state: string): (Cached & { readonly uid: string })[] {
  const paths = networkPaths(state);
  return attachedPods(state).flatMap((uid) => {
    const cached = readCached(paths, uid);
    return cached === undefined ? [] : [{ ...cached, uid }];
  });
}

/** Names of the host's ends of a pod's devices; empty when it is not attached. */
export function hostDevices(state: string, uid: string): string[] {
  const result = readCached(networkPaths(state), uid)?.result;
  return (result?.interfaces ?? []).filter((link) => (link.sandbox ?? '') === '').map((link) => link.name);
}

export function attachmentOf(pod: PodOnNetwork, netns: string): Attachment {
  const args = {
    IgnoreUnknown: '1',
    K8S_POD_NAMESPACE: pod.namespace,
    K8S_POD_NAME: pod.name,
    K8S_POD_INFRA_CONTAINER_ID: pod.uid,
    K8S_POD_UID: pod.uid,
  };
  return {
    container: pod.uid,
    interface: INTERFACE,
    netns,
    args: Object.entries(args)
      .map(([name, value]) => `${name}=${value}`)
      .join(';'),
  };
}

/** Whether a namespace is kept at this path: the file stays when it is unmounted. */
export function isNamespace(path: string): boolean {
  try {
    return path !== '' && statfsSync(path).type === NSFS_MAGIC;
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return false;
    throw error;
  }
}
