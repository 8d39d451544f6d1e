/** Kubernetes' rules for what a pod is called, whom it knows, and which ports of the host it has (pkg/apis/core/validation). */
import { isIP } from 'node:net';
import type { ContainerPort, PodDNSConfig, PodSpec } from 'kubernetes-types/core/v1.js';
import * as names from './names.ts';
import type { Path } from './node.ts';
import { type Report, complain } from './problem.ts';
import { isQuantity, nanos } from './quantity.ts';

/** MaxDNSNameservers, MaxDNSSearchPaths, MaxDNSSearchListChars. */
const MOST_NAMESERVERS = 3;
const MOST_SEARCHES = 32;
const LONGEST_SEARCH_LINE = 2048;
/** HOST_NAME_MAX of Linux. */
const LONGEST_HOSTNAME = 64;

export function validateNetwork(spec: PodSpec, path: Path, report: Report): void {
  validateNames(spec, path, report);
  validateAliases(spec.hostAliases ?? [], [...path, 'hostAliases'], report);
  validateDns(spec, [...path, 'dnsConfig'], report);
  validateHostPorts(spec, path, report);
}

const LOWEST_RATE = '1k';
const HIGHEST_RATE = '1P';

/** What the runtime would find wrong when the pod is started (client-go util/bandwidth: validateBandwidthIsReasonable). */
export function bandwidthComplaints(rate: string): readonly string[] {
  if (!isQuantity(rate)) return ['must be a quantity of bits per second, for example 10M'];
  if (nanos(rate) < nanos(LOWEST_RATE)) return ['resource is unreasonably small (< 1kbit)'];
  return nanos(rate) > nanos(HIGHEST_RATE) ? ['resource is unreasonably large (> 1Pbit)'] : [];
}

function validateNames(spec: PodSpec, path: Path, report: Report): void {
  const { hostname = '', subdomain = '', setHostnameAsFQDN = false, hostNetwork = false } = spec;
  const { hostnameOverride } = spec as { readonly hostnameOverride?: string };
  if (hostname !== '') complain(report, [...path, 'hostname'], hostname, names.labelComplaints(hostname));
  if (subdomain !== '') complain(report, [...path, 'subdomain'], subdomain, names.labelComplaints(subdomain));
  if (hostnameOverride === undefined) return;
  const at = [...path, 'hostnameOverride'];
  complain(report, at, hostnameOverride, names.subdomainComplaints(hostnameOverride));
  if (hostnameOverride.length > LONGEST_HOSTNAME) {
    complain(report, at, hostnameOverride, [`must be no more than ${LONGEST_HOSTNAME} characters`]);
  }
  if (setHostnameAsFQDN) report.problem(at, 'Forbidden: may not be set when `setHostnameAsFQDN` is true');
  if (hostNetwork) report.problem(at, 'Forbidden: may not be set when `hostNetwork` is true');
}

function validateAliases(
  aliases: readonly { readonly ip?: string; readonly hostnames?: readonly string[] }[],
  path: Path,
  report: Report,
): void {
  aliases.forEach(({ ip = '', hostnames = [] }, i) => {
    complain(report, [...path, i, 'ip'], ip, ipComplaints(ip));
    hostnames.forEach((name, j) => {
      complain(report, [...path, i, 'hostnames', j], name, names.subdomainComplaints(name));
    });
  });
}

function validateDns({ dnsPolicy, dnsConfig }: PodSpec, path: Path, report: Report): void {
  if (dnsPolicy === 'None') {
    if (dnsConfig === undefined) {
      report.problem(path, 'Required value: must provide `dnsConfig` when `dnsPolicy` is None');
    } else if ((dnsConfig.nameservers ?? []).length === 0) {
      const why = 'must provide at least one DNS nameserver when `dnsPolicy` is None';
      report.problem([...path, 'nameservers'], `Required value: ${why}`);
    }
  }
  if (dnsConfig !== undefined) validateDnsConfig(dnsConfig, path, report);
}

function validateDnsConfig(
  { nameservers = [], searches = [], options = [] }: PodDNSConfig,
  path: Path,
  report: Report,
): void {
  const many = (most: number, what: string): string => `must not have more than ${most} ${what}`;
  if (nameservers.length > MOST_NAMESERVERS) {
    complain(report, [...path, 'nameservers'], nameservers, [many(MOST_NAMESERVERS, 'nameservers')]);
  }
  nameservers.forEach((server, i) => {
    complain(report, [...path, 'nameservers', i], server, ipComplaints(server));
  });
  if (searches.length > MOST_SEARCHES) {
    complain(report, [...path, 'searches'], searches, [many(MOST_SEARCHES, 'search paths')]);
  }
  if (searches.join(' ').length > LONGEST_SEARCH_LINE) {
    const rule = many(LONGEST_SEARCH_LINE, 'characters (including spaces) in the search list');
    complain(report, [...path, 'searches'], searches, [rule]);
  }
  searches.forEach((search, i) => {
    if (search === '.') return;
    const name = search.replace(/\.$/, '');
    complain(report, [...path, 'searches', i], name, names.searchComplaints(name));
  });
  options.forEach(({ name = '' }, i) => {
    if (name === '') report.problem([...path, 'options', i], 'Required value: must not be empty');
  });
}

/** Ports of the host: within range, each once, and on the host's network the container's own (checkHostPortConflicts). */
function validateHostPorts({ containers, initContainers, hostNetwork }: PodSpec, path: Path, report: Report): void {
  const seen = new Set<string>();
  (containers as PodSpec['containers'] | undefined)?.forEach(({ ports = [] }, i) => {
    const at = [...path, 'containers', i, 'ports'];
    const effective = ports.map((port) => {
      return hostNetwork === true ? { ...port, hostPort: port.hostPort || port.containerPort } : port;
    });
    validatePorts(effective, seen, at, report);
    ports.forEach(({ hostPort = 0, containerPort }, j) => {
      if (hostNetwork !== true || hostPort === 0 || hostPort === containerPort) return;
      complain(report, [...at, j, 'hostPort'], hostPort, ['must match `containerPort` when `hostNetwork` is true']);
    });
  });
  // Init containers run one at a time.
  initContainers?.forEach(({ ports = [] }, i) => {
    validatePorts(ports, new Set(), [...path, 'initContainers', i, 'ports'], report);
  });
}

function validatePorts(ports: readonly ContainerPort[], seen: Set<string>, path: Path, report: Report): void {
  ports.forEach(({ hostPort = 0, hostIP = '', protocol = 'TCP' }, i) => {
    const at = [...path, i, 'hostPort'];
    if (hostIP !== '') complain(report, [...path, i, 'hostIP'], hostIP, ipComplaints(hostIP));
    if (hostPort === 0) return;
    if (hostPort < 1 || hostPort > 65535) complain(report, at, hostPort, ['must be between 1 and 65535, inclusive']);
    const key = `${protocol}/${hostIP}/${hostPort}`;
    if (seen.has(key)) report.problem(at, `Duplicate value: ${JSON.stringify(key)}`);
    seen.add(key);
  });
}

function ipComplaints(text: string): readonly string[] {
  return isIP(text) === 0 ? ['must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)'] : [];
}
