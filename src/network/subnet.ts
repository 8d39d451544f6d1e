/** IPv4 arithmetic for choosing a pod network. Pure. */

/** A range of addresses: the first one and how many leading bits are fixed. */
export interface Subnet {
  readonly base: number;
  readonly length: number;
}

/** Parses `a.b.c.d/len`; the host part is dropped. Undefined for anything else. */
export function parseSubnet(text: string): Subnet | undefined {
  const [, a, b, c, d, length = '32'] = /^(\d{1,3})\.(\d{1,3})\.(\d{1,3})\.(\d{1,3})(?:\/(\d{1,2}))?$/.exec(text) ?? [];
  const bytes = [a, b, c, d].map(Number);
  const bits = Number(length);
  if (a === undefined || bits > 32 || bytes.some((byte) => byte > 255)) return undefined;
  const address = bytes.reduce((sum, byte) => sum * 256 + byte, 0);
  const size = 2 ** (32 - bits);
  return { base: Math.floor(address / size) * size, length: bits };
}

export function overlaps(a: Subnet, b: Subnet): boolean {
  return a.base < b.base + 2 ** (32 - b.length) && b.base < a.base + 2 ** (32 - a.length);
}

/** The address `offset` above the subnet's first one. */
export function addressIn(subnet: Subnet, offset: number): string {
  const value = subnet.base + offset;
  return [24, 16, 8, 0].map((shift) => Math.floor(value / 2 ** shift) % 256).join('.');
}

export function formatSubnet(subnet: Subnet): string {
  return `${addressIn(subnet, 0)}/${subnet.length}`;
}

/** The first /24 of `pool` that overlaps none of `taken`; undefined when there is none. */
export function chooseSubnet(pool: Subnet, taken: readonly Subnet[]): Subnet | undefined {
  for (let base = pool.base; base < pool.base + 2 ** (32 - pool.length); base += 256) {
    const candidate = { base, length: 24 };
    if (!taken.some((other) => overlaps(candidate, other))) return candidate;
  }
  return undefined;
}
