/** Texts of the files that a pod's containers are given for name lookup. Pure. */

/** The resolver reads no more, and the kubelet gives no more. */
const MAX_SERVERS = 3;

export interface HostAlias {
  readonly ip: string;
  readonly hostnames: readonly string[];
}

export interface HostsOptions {
  readonly ip: string;
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
    `${ip}\t${names}`,
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

/**
 * `/etc/resolv.conf` of a pod from the node's (dnsPolicy Default): name servers, the last search list and options, in
 * the order and spelling that the kubelet gives to the runtime, which drops comments and other words.
 */
export function resolvConf(nodeText: string): string {
  const servers: string[] = [];
  let search: readonly string[] = [];
  let options: readonly string[] = [];
  for (const line of nodeText.split('\n')) {
    const [word, ...rest] = line.trim().split(/\s+/);
    const [first] = rest;
    if (word === 'nameserver' && first !== undefined) servers.push(first);
    else if (word === 'search') search = rest.map((name) => (name === '.' ? name : name.replace(/\.$/, '')));
    else if (word === 'options') options = rest;
  }
  const lines = [
    ...(search.length > 0 ? [`search ${search.join(' ')}`] : []),
    ...servers.slice(0, MAX_SERVERS).map((server) => `nameserver ${server}`),
    ...(options.length > 0 ? [`options ${options.join(' ')}`] : []),
  ];
  return lines.map((line) => `${line}\n`).join('');
}
