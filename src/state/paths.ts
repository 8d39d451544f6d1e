import { join } from 'node:path';

/** Where one minirt keeps things. Several may live side by side on a host. */
export interface Roots {
  /** `--root`: images, layers, writable layers of containers. */
  readonly root: string;
  /** `--state`: small files on a tmpfs, gone after a reboot. */
  readonly state: string;
  /** `--log-dir`: container logs in the kubelet's layout. */
  readonly logs: string;
}

export const defaultRoots: Roots = {
  root: '/var/lib/minirt',
  state: '/run/minirt',
  logs: '/var/log/minirt/pods',
};

/** Everything about one pod that survives its owner. */
export interface PodPaths {
  readonly dir: string;
  /** The defaulted v1 Pod as JSON, with metadata.uid. */
  readonly manifest: string;
  /** The engine's state as JSON: see `pod/record.ts`. */
  readonly state: string;
  /** Append-only JSON lines: everything that happened, in order. */
  readonly journal: string;
  /** Locked by the owner for as long as it owns the pod. */
  readonly lock: string;
  /** nsfs files. */
  readonly namespaces: string;
  /** Generated files that are bound into containers: hosts, resolv.conf, hostname. */
  readonly etc: string;
  /** The owner's control socket (at most 107 bytes). */
  readonly socket: string;
  /** Bulky data under `--root`. */
  readonly bulk: string;
}

/** One run of one container. */
export interface ContainerPaths {
  readonly dir: string;
  readonly record: string;
  readonly socket: string;
  readonly upper: string;
  readonly work: string;
  /** Results and output of hook and probe execs. */
  readonly execs: string;
}

export function podPaths(roots: Roots, uid: string): PodPaths {
  const dir = join(roots.state, 'pods', uid);
  return {
    dir,
    manifest: join(dir, 'pod.json'),
    state: join(dir, 'state.json'),
    journal: join(dir, 'journal.jsonl'),
    lock: join(dir, 'lock'),
    namespaces: join(roots.state, 'm', uid),
    etc: join(dir, 'etc'),
    socket: join(roots.state, 's', socketName(uid)),
    bulk: join(roots.root, 'pods', uid),
  };
}

/** `id` is the container run's 64-hex id. */
export function containerPaths(roots: Roots, uid: string, id: string): ContainerPaths {
  const dir = join(roots.state, 'pods', uid, 'c', id.slice(0, 12));
  const bulk = join(roots.root, 'pods', uid, id.slice(0, 12));
  return {
    dir,
    record: join(dir, 'record.jsonl'),
    socket: join(roots.state, 's', id.slice(0, 12)),
    upper: join(bulk, 'upper'),
    work: join(bulk, 'work'),
    execs: join(dir, 'exec'),
  };
}

/** Socket of the supervisor of this state folder. */
export function supervisorSocket(roots: Roots): string {
  return join(roots.state, 's', 'supervisor');
}

/** Folder that maps names to uids: `index/<namespace>/<name>` holds the uid. */
export function indexDir(roots: Roots, namespace: string): string {
  return join(roots.state, 'index', namespace);
}

function socketName(uid: string): string {
  return uid.replaceAll('-', '').slice(0, 12);
}
