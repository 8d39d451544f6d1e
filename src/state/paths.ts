import { createHash } from 'node:crypto';
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
  /** Mount points of volumes in memory, below the same private mount. */
  readonly memory: string;
  /**
   * What its hooks and probes leave, and what execs start from, a folder for each run of a container. It holds values of
   * Secrets, so it is in memory; its name is that of no volume.
   */
  readonly execs: string;
  /**
   * Generated files that are bound into containers: hosts, resolv.conf, hostname, termination messages. Containers may
   * write to them, so they are on a small tmpfs; its name is that of no volume.
   */
  readonly etc: string;
  /** What the containers of a pod have as /dev/shm, all the same. */
  readonly shm: string;
  /** The cgroup of the process that reaps, for a pod whose containers share their processes. */
  readonly reaper: string;
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
  /** Results and output of hook and probe execs; outlives the instance, so that a late result finds its place. */
  readonly execs: string;
  /** Names its cgroup: an adopted one may lie below another owner's. */
  readonly cgroup: string;
  /** The instance's own process as JSON: what an exec in it starts from. */
  readonly process: string;
  /** The values of Secrets (base64, a JSON list) that there were when the instance was made; missing when there were none. */
  readonly secrets: string;
}

export function podPaths(roots: Roots, uid: string): PodPaths {
  const dir = join(roots.state, 'pods', uid);
  return {
    ...filesIn(dir),
    lock: join(dir, 'lock'),
    namespaces: join(roots.state, 'm', uid),
    memory: join(roots.state, 'm', uid, 'volumes'),
    execs: join(roots.state, 'm', uid, 'volumes', '.execs'),
    etc: join(roots.state, 'm', uid, 'volumes', '.etc'),
    shm: join(roots.state, 'm', uid, 'volumes', '.shm'),
    reaper: join(dir, 'reaper'),
    socket: join(roots.state, 's', socketName(uid)),
    bulk: join(roots.root, 'pods', uid),
  };
}

function filesIn(dir: string): Pick<PodPaths, 'dir' | 'manifest' | 'state' | 'journal'> {
  return {
    dir,
    manifest: join(dir, 'pod.json'),
    state: join(dir, 'state.json'),
    journal: join(dir, 'journal.jsonl'),
  };
}

/** Folder of what is kept of deleted pods: one each, `<time>-<uid>`, so that their names are in the order of time. */
export function deletedDir(roots: Roots): string {
  return join(roots.root, 'deleted');
}

/** A deleted pod's files, as far as they were kept: manifest, state and journal. */
export function deletedPodPaths(roots: Roots, place: string): PodPaths {
  const dir = join(deletedDir(roots), place);
  const uid = place.slice(place.indexOf('-') + 1);
  return { ...podPaths(roots, uid), ...filesIn(dir) };
}

/** `id` is the container run's 64-hex id. */
export function containerPaths(roots: Roots, uid: string, id: string): ContainerPaths {
  const dir = join(roots.state, 'pods', uid, 'c', id.slice(0, 12));
  const bulk = join(roots.root, 'pods', uid, id.slice(0, 12));
  const execs = join(podPaths(roots, uid).execs, id.slice(0, 12));
  return {
    dir,
    record: join(dir, 'record.jsonl'),
    socket: join(roots.state, 's', id.slice(0, 12)),
    upper: join(bulk, 'upper'),
    work: join(bulk, 'work'),
    execs,
    cgroup: join(execs, 'cgroup'),
    process: join(execs, 'process.json'),
    secrets: join(execs, 'secrets.json'),
  };
}

/** What a PersistentVolumeClaim's volume holds: a folder that lives as long as the claim. */
export function claimDir(roots: Roots, claim: { readonly namespace: string; readonly name: string }): string {
  return join(claimsDir(roots, claim.namespace), claim.name);
}

/** The folders of all claims of a namespace. */
export function claimsDir(roots: Roots, namespace: string): string {
  return join(roots.root, 'claims', namespace);
}

/** Where an administrator puts seccomp profiles, and where their filters and that of RuntimeDefault are kept. */
export function seccompDirs(roots: Roots): { readonly profiles: string; readonly filters: string } {
  return { profiles: join(roots.root, 'seccomp'), filters: join(roots.root, 'filters') };
}

/** File names end here on Linux (NAME_MAX). */
const LONGEST_NAME = 255;

export interface PodIdentity {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
}

/** Folder of a pod's container logs, in the kubelet's layout; a name over 255 bytes is shortened with a hash. */
export function podLogs(roots: Roots, pod: PodIdentity): string {
  const name = `${pod.namespace}_${pod.name}_${pod.uid}`;
  if (name.length <= LONGEST_NAME) return join(roots.logs, name);
  const hash = createHash('sha256').update(name).digest('hex').slice(0, 12);
  const head = `${pod.namespace}_${pod.name}`.slice(0, LONGEST_NAME - pod.uid.length - hash.length - 2);
  return join(roots.logs, `${head}-${hash}_${pod.uid}`);
}

/** The CRI log of one run of a container. */
export function containerLog(roots: Roots, pod: PodIdentity, container: { name: string; restart: number }): string {
  return join(podLogs(roots, pod), container.name, `${container.restart}.log`);
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
