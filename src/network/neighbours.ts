/**
 * Pods on one network that was chosen by name know each other by name, in /etc/hosts; on the default network, as in
 * Kubernetes without a Service, they do not.
 */
import { existsSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { isErrno } from '../base/errors.ts';
import { withLock } from '../helper/flock.ts';
import { readJson, writeJson } from './json-file.ts';
import { networkPaths } from './paths.ts';

export interface Neighbour {
  readonly uid: string;
  readonly name: string;
  readonly namespace: string;
  readonly network: string;
  readonly ip: string;
  /** Host path of its /etc/hosts. */
  readonly hosts: string;
}

/** A file over this size is not what minirt made, and is left alone: containers may write to it. */
const LARGEST = 1 << 20;
const BEGIN = '# Pods on the same network (kept by minirt).';
const END = '# End of pods on the same network.';

/** From now on the others on its network know this pod, and it knows them. Again is no error. */
export async function becomeNeighbour(state: string, pod: Neighbour, signal: AbortSignal): Promise<void> {
  await changing(state, signal, async (folder) => {
    writeJson(join(folder, `${pod.uid}.json`), pod);
    await tellAll(folder, pod.network);
  });
}

/** The others forget this pod. Nothing when they never knew it. */
export async function leaveNeighbours(state: string, uid: string, signal: AbortSignal): Promise<void> {
  const { neighbours } = networkPaths(state);
  if (!existsSync(join(neighbours, `${uid}.json`))) return;
  await changing(state, signal, async (folder) => {
    const left = read(folder).find((one) => one.uid === uid);
    rmSync(join(folder, `${uid}.json`), { force: true });
    if (left !== undefined) await tellAll(folder, left.network);
  });
}

/** `/etc/hosts` with what a pod is to know of the others in place of what it knew. Pure. */
export function withNeighbours(
  text: string,
  { namespace }: Pick<Neighbour, 'namespace'>,
  others: readonly Pick<Neighbour, 'name' | 'namespace' | 'ip'>[],
): string {
  const lines = text.split('\n');
  const begin = lines.indexOf(BEGIN);
  const end = lines.indexOf(END, begin);
  if (begin >= 0 && end >= 0) lines.splice(begin, end - begin + 1);
  if (others.length === 0) return lines.join('\n');
  const entries = others.map((other) => {
    const full = `${other.name}.${other.namespace}`;
    return `${other.ip}\t${other.namespace === namespace ? `${other.name}\t${full}` : full}`;
  });
  if (lines.at(-1) === '') lines.pop();
  return [...lines, BEGIN, ...entries.toSorted(), END, ''].join('\n');
}

async function changing(state: string, signal: AbortSignal, work: (folder: string) => Promise<void>): Promise<void> {
  const { neighbours } = networkPaths(state);
  mkdirSync(neighbours, { recursive: true, mode: 0o700 });
  await withLock(`${neighbours}.lock`, signal, () => work(neighbours));
}

function read(folder: string): readonly Neighbour[] {
  const files = readdirSync(folder).filter((name) => name.endsWith('.json'));
  return files.flatMap((name) => readJson<Neighbour>(join(folder, name)) ?? []);
}

async function tellAll(folder: string, network: string): Promise<void> {
  const here = read(folder).filter((one) => one.network === network);
  for (const pod of here) {
    await rewrite(pod.hosts, (text) =>
      withNeighbours(
        text,
        pod,
        here.filter(({ uid }) => uid !== pod.uid),
      ),
    );
  }
}

/** In place: containers have this very file mounted, and would not see another of its name. */
async function rewrite(path: string, change: (text: string) => string): Promise<void> {
  try {
    await using file = await open(path, 'r+');
    const { size } = await file.stat();
    if (size > LARGEST) return;
    // Whatever bytes a container has added stay as they are.
    const before = await file.readFile('latin1');
    const after = change(before);
    if (after === before) return;
    await file.write(after, 0, 'latin1');
    await file.truncate(after.length);
  } catch (error) {
    // A pod that is just being removed, or one whose containers have filled what there is for such files.
    const gone = isErrno(error, 'ENOENT') && !existsSync(dirname(path));
    if (!gone && !isErrno(error, 'ENOSPC')) throw error;
  }
}
