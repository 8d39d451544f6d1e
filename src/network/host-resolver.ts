import { readFile } from 'node:fs/promises';
import { isErrno } from '../base/errors.ts';
import { type Resolver, isLoopback, parseResolver } from './resolver.ts';

/** The node's file, and systemd-resolved's own, which names the servers behind its stub on 127.0.0.53. */
export interface ResolverFiles {
  readonly own: string;
  readonly upstream: string;
}

const HOST_FILES: ResolverFiles = { own: '/etc/resolv.conf', upstream: '/run/systemd/resolve/resolv.conf' };

export interface HostResolver {
  readonly resolver: Resolver;
  /** Servers among it that no pod can reach, because they are on the host's loopback. */
  readonly unreachable: readonly string[];
}

/**
 * How the host looks names up, said so that it holds within a pod: where /etc/resolv.conf names a server on the
 * loopback, systemd-resolved's file takes its place, as kubeadm does it with the kubelet's `resolvConf`.
 */
export async function hostResolver(files: ResolverFiles = HOST_FILES): Promise<HostResolver> {
  const own = parseResolver(await textOf(files.own));
  const unreachable = own.servers.filter(isLoopback);
  if (unreachable.length === 0) return { resolver: own, unreachable };
  const upstream = parseResolver(await textOf(files.upstream));
  const reachable = upstream.servers.length > 0 && !upstream.servers.some(isLoopback);
  return reachable ? { resolver: upstream, unreachable: [] } : { resolver: own, unreachable };
}

/** How the host itself looks names up. */
export async function ownResolver(): Promise<Resolver> {
  return parseResolver(await textOf(HOST_FILES.own));
}

async function textOf(path: string): Promise<string> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (isErrno(error, 'ENOENT') || isErrno(error, 'ENOTDIR')) return '';
    throw error;
  }
}
