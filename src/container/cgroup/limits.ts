/** How much a cgroup may use, and how cgroup v1 and v2 are told. Pure. */

export type Controller = 'cpu' | 'memory' | 'hugetlb';

export interface Limits {
  /** Weight against others for CPU time, 2 to 262144 in cgroup v1's measure; undefined: nobody asked for any. */
  readonly cpuShares: number | undefined;
  /** Microseconds of CPU time in every {@link CPU_PERIOD}. */
  readonly cpuQuota: number | undefined;
  /** Bytes, none of which may be swapped out. */
  readonly memory: bigint | undefined;
  /** Bytes of pages of this size, by size in bytes; undefined: nobody asked for any. */
  readonly hugePages: ReadonlyMap<bigint, bigint> | undefined;
}

/** Microseconds. */
export const CPU_PERIOD = 100_000;

/** One file to be written to in a cgroup. */
export interface Knob {
  readonly controller: Controller;
  readonly file: string;
  readonly value: string;
  /**
   * `limit`: without it nothing may be started. `wish`: worth a warning. `detail`: not every kernel has the file, and
   * where it is missing there is nothing to be told.
   */
  readonly need: 'limit' | 'wish' | 'detail';
}

/** Pods and containers are weighted by different formulas, as by a kubelet and an OCI runtime. */
export type Level = 'pod' | 'container';

/** For the unified hierarchy. */
export function unifiedKnobs(limits: Limits, level: Level): readonly Knob[] {
  const { cpuShares, cpuQuota, memory } = limits;
  const weight = level === 'pod' ? podWeight : containerWeight;
  return [
    ...(cpuShares === undefined ? [] : [wish('cpu', 'cpu.weight', weight(cpuShares))]),
    ...(cpuQuota === undefined ? [] : [limit('cpu', 'cpu.max', `${cpuQuota} ${CPU_PERIOD}`)]),
    ...(memory === undefined
      ? []
      : [
          limit('memory', 'memory.max', memory),
          detail('memory', 'memory.swap.max', 0),
          // A container is killed as a whole: half a program is of no use.
          ...(level === 'container' ? [detail('memory', 'memory.oom.group', 1)] : []),
        ]),
    ...pageKnobs(limits, 'max'),
  ];
}

/** For hierarchies of cgroup v1. */
export function v1Knobs(limits: Limits): readonly Knob[] {
  const { cpuShares, cpuQuota, memory } = limits;
  return [
    ...(cpuShares === undefined ? [] : [wish('cpu', 'cpu.shares', cpuShares)]),
    ...(cpuQuota === undefined
      ? []
      : [limit('cpu', 'cpu.cfs_period_us', CPU_PERIOD), limit('cpu', 'cpu.cfs_quota_us', cpuQuota)]),
    ...(memory === undefined
      ? []
      : [
          limit('memory', 'memory.limit_in_bytes', memory),
          // Memory and swap together; without swap accounting this much is left to ask for.
          detail('memory', 'memory.memsw.limit_in_bytes', memory),
          detail('memory', 'memory.swappiness', 0),
        ]),
    ...pageKnobs(limits, 'limit_in_bytes'),
  ];
}

function pageKnobs({ hugePages = new Map() }: Limits, file: string): readonly Knob[] {
  return [...hugePages].flatMap(([size, bytes]) => [
    limit('hugetlb', `hugetlb.${pageName(size)}.${file}`, bytes),
    detail('hugetlb', `hugetlb.${pageName(size)}.rsvd.${file}`, bytes),
  ]);
}

/** How the kernel names a page size: `2MB`. */
function pageName(size: bigint): string {
  if (size >= 1n << 30n) return `${size >> 30n}GB`;
  return size >= 1n << 20n ? `${size >> 20n}MB` : `${size >> 10n}KB`;
}

/** The kubelet's straight line from shares to weight (pkg/kubelet/cm: CpuSharesToCpuWeight). */
export function podWeight(shares: number): number {
  return Math.trunc(1 + ((shares - 2) * 9999) / 262142);
}

/** The runtimes' curve through (2, 1), (1024, 100) and (262144, 10000) (runc 1.3.2, crun 1.24). */
export function containerWeight(shares: number): number {
  if (shares <= 2) return 1;
  if (shares >= 262144) return 10000;
  const power = Math.log2(shares);
  return Math.ceil(10 ** ((power * power + 125 * power) / 612 - 7 / 34));
}

function limit(controller: Controller, file: string, value: bigint | number | string): Knob {
  return { controller, file, value: String(value), need: 'limit' };
}

function wish(controller: Controller, file: string, value: number): Knob {
  return { controller, file, value: String(value), need: 'wish' };
}

function detail(controller: Controller, file: string, value: bigint | number): Knob {
  return { controller, file, value: String(value), need: 'detail' };
}
