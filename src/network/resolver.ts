/** `/etc/resolv.conf` of a pod, as the kubelet makes it of the node's (v1.36 pkg/kubelet/network/dns/dns.go). Pure. */

/** The resolver reads no more, and the kubelet gives no more. */
const MOST_SERVERS = 3;
const MOST_SEARCHES = 32;
/** Of all search domains with a blank between them. */
const LONGEST_SEARCH_LINE = 2048;
/** glibc 2.28 aborts on a longer one. */
const LONGEST_SEARCH = 253;

export interface Resolver {
  readonly servers: readonly string[];
  readonly searches: readonly string[];
  /** `name` or `name:value`. */
  readonly options: readonly string[];
}

/** What a pod adds: its `dnsConfig`. */
export interface ResolverExtras {
  readonly nameservers: readonly string[];
  readonly searches: readonly string[];
  readonly options: readonly { readonly name: string; readonly value: string | undefined }[];
}

export const emptyResolver: Resolver = { servers: [], searches: [], options: [] };

/** Reads name servers, the last search list, and the options, of which the last of a name counts; all else is dropped. */
export function parseResolver(text: string): Resolver {
  const servers: string[] = [];
  let searches: readonly string[] = [];
  let options: readonly string[] = [];
  for (const line of text.split('\n')) {
    const [word, ...rest] = line.trim().split(/\s+/);
    const [first] = rest;
    if (word === 'nameserver' && first !== undefined) servers.push(first);
    else if (word === 'search') searches = rest.map((name) => (name === '.' ? name : name.replace(/\.$/, '')));
    else if (word === 'options') options = merged([...options, ...rest]);
  }
  return { servers, searches, options };
}

/** The node's and then the pod's, each server and domain once; of an option the pod's value counts. */
export function withExtras(base: Resolver, extras: ResolverExtras): Resolver {
  const written = extras.options.map(({ name, value = '' }) => (value === '' ? name : `${name}:${value}`));
  return {
    servers: [...new Set([...base.servers, ...extras.nameservers])],
    searches: [...new Set([...base.searches, ...extras.searches])],
    options: merged([...base.options, ...written]),
  };
}

/** The last of each name, at the place of the first. */
function merged(options: readonly string[]): readonly string[] {
  return [...new Map(options.map((option) => [option.split(':')[0], option])).values()];
}

/** Leaves out what a resolver would not read; the kubelet's words for each. */
export function withinLimits(resolver: Resolver): {
  readonly resolver: Resolver;
  readonly complaints: readonly string[];
} {
  const complaints: string[] = [];
  const servers = resolver.servers.slice(0, MOST_SERVERS);
  const searches = fittingSearches(resolver.searches);
  if (servers.length < resolver.servers.length) {
    const applied = `the applied nameserver line is: ${servers.join(' ')}`;
    complaints.push(`Nameserver limits were exceeded, some nameservers have been omitted, ${applied}`);
  }
  if (searches.length < resolver.searches.length) {
    const applied = `the applied search line is: ${searches.join(' ')}`;
    complaints.push(`Search Line limits were exceeded, some search paths have been omitted, ${applied}`);
  }
  return { resolver: { ...resolver, servers, searches }, complaints };
}

function fittingSearches(searches: readonly string[]): readonly string[] {
  let fitting = searches.slice(0, MOST_SEARCHES).filter((one) => one.length <= LONGEST_SEARCH);
  while (fitting.join(' ').length > LONGEST_SEARCH_LINE) fitting = fitting.slice(0, -1);
  return fitting;
}

/** The text, in the order of a runtime: search, servers, options. */
export function formatResolver({ servers, searches, options }: Resolver): string {
  const lines = [
    ...(searches.length > 0 ? [`search ${searches.join(' ')}`] : []),
    ...servers.map((server) => `nameserver ${server}`),
    ...(options.length > 0 ? [`options ${options.join(' ')}`] : []),
  ];
  return lines.map((line) => `${line}\n`).join('');
}

/** Whether a name server is on the host's loopback, which a pod with a network of its own cannot reach. */
export function isLoopback(server: string): boolean {
  return /^127\./.test(server) || server === '::1';
}
