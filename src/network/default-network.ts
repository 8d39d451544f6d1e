import { mkdirSync, rmSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { bootId } from '../sys/host.ts';
import { attachments } from './attachment.ts';
import { bridgeName, defaultNetwork, ensureBridge, removeBridge, subnetOf } from './bridge.ts';
import type { NetworkList } from './cni.ts';
import { ensureBridgeRules } from './firewall.ts';
import { readJson, readText, writeAtomically, writeJson } from './json-file.ts';
import { DEFAULT_NETWORK, type NetworkPaths } from './paths.ts';
import { addressPool } from './pool.ts';
import { overlaps } from './subnet.ts';

/**
 * The default network of this boot, with its bridge up and the firewall open for it; `confined` says why its pods cannot
 * reach beyond the host, if they cannot. Called with the network's lock held.
 */
export async function prepareDefault(
  state: string,
  paths: NetworkPaths,
  signal: AbortSignal,
): Promise<{ readonly list: NetworkList; readonly confined: string | undefined }> {
  const saved = readJson<NetworkList>(paths.conflist);
  const bridge = bridgeName(state);
  const pool = addressPool();
  const earlier = saved === undefined ? undefined : subnetOf(saved);
  const wanted = earlier !== undefined && overlaps(earlier, pool) ? earlier : undefined;
  const subnet = await ensureBridge(bridge, { wanted, pool }, signal);
  const confined = await ensureBridgeRules(bridge, subnet, signal);
  const list = defaultNetwork({ bridge, subnet, dataDir: paths.ipam });
  if (!isDeepStrictEqual(list, saved)) writeJson(paths.conflist, list);
  return { list, confined };
}

/** Removes the bridge after the last pod. Called with the lock held: an ADD that is under way is in the cache by then. */
export async function dropUnusedBridge(state: string, signal: AbortSignal): Promise<void> {
  const used = attachments(state).some(({ list }) => list.name === DEFAULT_NETWORK);
  if (!used) await removeBridge(bridgeName(state), signal);
}

/** Drops what an earlier boot has left, and answers whether there was any. Called with the lock held. */
export async function forgetOtherBoot(state: string, paths: NetworkPaths, signal: AbortSignal): Promise<boolean> {
  const known = readText(paths.boot) === bootId();
  if (!known) {
    for (const path of [paths.conflist, paths.ipam, paths.cache, paths.locks, paths.neighbours]) {
      rmSync(path, { recursive: true, force: true });
    }
    await removeBridge(bridgeName(state), signal);
    writeAtomically(paths.boot, bootId());
  }
  mkdirSync(paths.cache, { recursive: true, mode: 0o700 });
  return !known;
}
