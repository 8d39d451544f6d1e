import { join } from 'node:path';
import { findPodCgroups } from '../container/cgroup/census.ts';
import { bridgeName } from '../network/bridge.ts';
import { rulesOf } from '../network/firewall.ts';
import { type Rule, listRules } from '../network/iptables.ts';
import { DEFAULT_NETWORK, networkPaths } from '../network/paths.ts';
import { parseSubnet } from '../network/subnet.ts';
import type { Roots } from '../state/paths.ts';
import { links } from '../sys/links.ts';
import { readMountinfo } from '../sys/mountinfo.ts';
import { openFiles, processes } from '../sys/process.ts';
import { isHelper } from './find-kernel.ts';
import { namesIn } from './known.ts';

/** Everything on the host that minirt may have made, one line each, in words that name it for good. */
export type Snapshot = ReadonlySet<string>;

/**
 * Takes note of mounts, cgroups, network devices, namespaces, processes, this process's files, and what the state folder
 * holds. With `roots` only what belongs to them: others may be at work on this host.
 */
export async function snapshot(roots?: Roots): Promise<Snapshot> {
  return new Set([
    ...mounts(roots),
    ...findPodCgroups(roots?.state).map(({ path }) => `cgroup ${path}`),
    ...(await devices(roots)),
    ...(await firewall(roots)),
    ...helpers(roots),
    ...files(),
    ...(roots === undefined ? [] : inState(roots)),
  ]);
}

/** What is there now and was not there before. */
export function diff(before: Snapshot, after: Snapshot): string[] {
  return [...after].filter((line) => !before.has(line));
}

function mounts(roots: Roots | undefined): string[] {
  const all = readMountinfo().map(({ mountPoint, type, id }) => ({
    mountPoint,
    line: `mount ${id} ${type} ${mountPoint}`,
  }));
  const dirs = roots === undefined ? undefined : [roots.root, roots.state, roots.logs];
  return all
    .filter(({ mountPoint }) => dirs?.some((dir) => `${mountPoint}/`.startsWith(`${dir}/`)) ?? true)
    .map(({ line }) => line);
}

async function devices(roots: Roots | undefined): Promise<string[]> {
  const all = await links();
  const bridge = roots === undefined ? undefined : bridgeName(roots.state);
  const own = all.filter((link) => bridge === undefined || link.name === bridge || link.master === bridge);
  const named = roots === undefined ? namesIn('/run/netns').map((name) => `netns ${name}`) : [];
  return [...own.map(({ name, index }) => `link ${index} ${name}`), ...named];
}

/** Rules of the bridge; of the whole host, all that there are. */
async function firewall(roots: Roots | undefined): Promise<string[]> {
  const { signal } = new AbortController();
  const all = async (): Promise<readonly Rule[]> => [
    ...(await listRules('nat', signal, () => true)),
    ...(await listRules('filter', signal, () => true)),
  ];
  const found = roots === undefined ? await all() : await rulesOf(bridgeName(roots.state), signal);
  return found.map(({ table, chain, words }) => `rule ${table} ${chain} ${words.join(' ')}`);
}

/** Helpers and supervisors; of some roots only: those with files below them, or the roots on their command line. */
function helpers(roots: Roots | undefined): string[] {
  const dirs = roots === undefined ? undefined : [roots.root, roots.state, roots.logs];
  return processes().flatMap(({ pid, start, command }) => {
    if (pid === process.pid) return [];
    const serves = command.includes('serve') && command.some((word) => /\/(minirt|main\.js)$/.test(word));
    if (!isHelper(command) && !serves) return [];
    const words = [...command, ...openFiles(pid).map(({ target }) => target)];
    const own = dirs?.some((dir) => words.some((word) => word === dir || word.startsWith(`${dir}/`))) ?? true;
    return own ? [`process ${pid} since ${start}: ${command.slice(0, 2).join(' ')}`] : [];
  });
}

/** Files, sockets and pidfds that this process has open; what the event loop opens for itself once is left out. */
function files(): string[] {
  return openFiles('self')
    .filter(({ target }) => !/^(anon_inode:\[?(event|io_uring|inotify)|\/dev\/null|\/proc\/\d+\/fd)/.test(target))
    .map(({ fd, target }) => `fd ${fd} ${target}`);
}

/** What pods have in the state folder; locks and the network's own files stay as long as the folder. */
function inState(roots: Roots): string[] {
  const below = (dir: string): string[] => namesIn(dir).map((name) => join(dir, name));
  const { cache, ipam } = networkPaths(roots.state);
  const addresses = below(join(ipam, DEFAULT_NETWORK)).filter((path) => parseSubnet(path.replace(/.*\//, '')));
  const pods = ['pods', 's', 'm'].flatMap((name) => below(join(roots.state, name)));
  const names = below(join(roots.state, 'index')).flatMap(below);
  const bulk = below(join(roots.root, 'pods'));
  return [...pods, ...names, ...below(cache), ...addresses, ...bulk].map((path) => `file ${path}`);
}
