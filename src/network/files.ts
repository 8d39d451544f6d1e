/** `/etc/hosts` of a pod. Pure. */

export interface HostAlias {
  readonly ip: string;
  readonly hostnames: readonly string[];
}

export interface HostsOptions {
  /** undefined: the pod has no address, and its name no entry. */
  readonly ip: string | undefined;
  readonly hostname: string;
  /** `{subdomain}.{namespace}.svc.{cluster domain}`, when the pod has one. */
  readonly domain?: string;
  readonly aliases?: readonly HostAlias[];
}

/** `/etc/hosts` byte for byte as the kubelet writes it (v1.36 pkg/kubelet/kubelet_pods.go, managedHostsFileContent). */
export function hostsFile(options: HostsOptions): string {
  const { ip, hostname, domain = '' } = options;
  const names = domain === '' ? hostname : `${hostname}.${domain}\t${hostname}`;
  return [
    '# Kubernetes-managed hosts file.',
    '127.0.0.1\tlocalhost',
    '::1\tlocalhost ip6-localhost ip6-loopback',
    'fe00::0\tip6-localnet',
    'fe00::0\tip6-mcastprefix',
    'fe00::1\tip6-allnodes',
    'fe00::2\tip6-allrouters',
    ...(ip === undefined ? [] : [`${ip}\t${names}`]),
    '',
  ]
    .join('\n')
    .concat(aliasLines(options.aliases ?? []));
}

/** `/etc/hosts` of a pod on the host's network: the host's own text under the kubelet's head line. */
export function hostNetworkHostsFile(nodeText: string, aliases: readonly HostAlias[] = []): string {
  return `# Kubernetes-managed hosts file (host network).\n${nodeText}${aliasLines(aliases)}`;
}

function aliasLines(aliases: readonly HostAlias[]): string {
  if (aliases.length === 0) return '';
  const lines = aliases.map(({ ip, hostnames }) => `${ip}\t${hostnames.join('\t')}\n`);
  return `\n# Entries added by HostAliases.\n${lines.join('')}`;
}
