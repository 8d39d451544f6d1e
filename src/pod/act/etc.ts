import { chmodSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import type { Pod } from '../../manifest/pod.ts';
import { hostNetworkHostsFile, hostsFile } from '../../network/files.ts';
import { type HostResolver, hostResolver, ownResolver } from '../../network/host-resolver.ts';
import { emptyResolver, formatResolver, withExtras, withinLimits } from '../../network/resolver.ts';
import { privateFolder, writeAtomically } from '../../state/files.ts';
import type { EngineView } from '../engine.ts';
import { onHost } from '../hostname.ts';
import type { Note } from '../journal-entry.ts';

/** Host paths of the files that all containers of a pod are given. */
export interface EtcFiles {
  readonly folder: string;
  readonly hosts: string;
  readonly resolvConf: string;
  readonly hostname: string;
}

/** Writes what the pod's containers read of names: hosts, resolv.conf, hostname. */
export async function writeEtc(
  engine: EngineView,
  files: EtcFiles,
  { hostname, ip }: { readonly hostname: string; readonly ip: string | undefined },
): Promise<void> {
  const { pod } = engine;
  const { domain, hostAliases: aliases } = pod.network;
  privateFolder(files.folder);
  const hosts = onHost(pod)
    ? hostNetworkHostsFile(await readFile('/etc/hosts', 'utf8'), aliases)
    : hostsFile({ ip, hostname: pod.hostname, domain, aliases });
  write(files.hosts, hosts);
  write(files.hostname, `${hostname}\n`);
  const { text, notes } = await resolverFile(pod);
  write(files.resolvConf, text);
  for (const note of notes) engine.note(note);
}

/** Anybody in the pod may read it, whoever they are. */
function write(path: string, text: string): void {
  writeAtomically(path, text);
  chmodSync(path, 0o644);
}

/** On the host's network its loopback is the pod's, too. */
async function resolverOf(pod: Pod): Promise<HostResolver> {
  return onHost(pod) ? { resolver: await ownResolver(), unreachable: [] } : hostResolver();
}

/**
 * By dnsPolicy and dnsConfig (pkg/kubelet/network/dns: GetPodDNS). There is no cluster DNS, so ClusterFirst is Default,
 * as on a kubelet without one.
 */
async function resolverFile(pod: Pod): Promise<{ text: string; notes: readonly Note[] }> {
  const { dns } = pod.network;
  const { resolver: base, unreachable } =
    dns.policy === 'None' ? { resolver: emptyResolver, unreachable: [] } : await resolverOf(pod);
  const { resolver, complaints } = withinLimits(withExtras(base, dns));
  const why =
    'on the loopback of the host, where no pod reaches them: give the pod a dnsConfig, or the host another resolver';
  const events = complaints.map((message): Note => {
    return { kind: 'event', type: 'Warning', reason: 'DNSConfigForming', message };
  });
  const warnings: readonly Note[] =
    unreachable.length === 0 ? [] : [{ kind: 'note', text: `name servers ${unreachable.join(', ')} are ${why}` }];
  return { text: formatResolver(resolver), notes: [...events, ...warnings] };
}
