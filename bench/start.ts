/**
 * What it costs to start a container, from nothing to the end of /bin/true and away with it, beside `crun run`: the same
 * root file system, namespaces, mounts, capabilities and filter, one after the other in one run. Without pods, images and
 * networks: the helper alone, as minirt drives it. MINIRT_BENCH_CRUN: another crun, as words of a command.
 */
import { type SpawnSyncReturns, spawn, spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  rmdirSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { once } from 'node:events';
import { join } from 'node:path';
import { launchPlan } from '../src/container/launch.ts';
import { defaultCapabilities } from '../src/container/capabilities.ts';
import { hostArchitecture } from '../src/container/seccomp/compile.ts';
import { defaultProfile } from '../src/container/seccomp/default.ts';
import { seccompFilter } from '../src/container/seccomp/index.ts';
import type { Action, Rule } from '../src/container/seccomp/profile.ts';
import { makeSandbox, removeSandbox, unmount } from '../src/helper/sandbox.ts';
import { connectMonitor, spawnMonitor } from '../src/helper/monitor.ts';
import { type Op, encodePlan } from '../src/helper/plan.ts';
import { median, percentile, timed } from './statistics.ts';

const never = new AbortController().signal;
const CGROUPS = '/sys/fs/cgroup';
const INSIDE = 'MINIRT_BENCH_INSIDE';
const ROUNDS = 100;
const WARM_UP = 5;

/** @returns exit status */
export async function main(args: readonly string[]): Promise<number> {
  const crun = (process.env['MINIRT_BENCH_CRUN'] ?? 'crun').split(' ');
  const [file = '', ...words] = crun;
  const found = spawnSync(file, [...words, '--version'], { encoding: 'utf8' });
  if (found.status !== 0) {
    process.stderr.write('crun is missing, and a figure without a peer says nothing: apt-get install crun\n');
    return 1;
  }
  // A view of cgroup2 alone, which is all that crun works with, and which ends with this run.
  if (process.env[INSIDE] === undefined) return again(args);
  const rounds = Number(args[0] ?? ROUNDS);
  process.stdout.write(`${found.stdout.split('\n')[0] ?? ''}, ${rounds} rounds each, in turns\n\n`);
  process.stdout.write('filter           minirt ms (p95)     crun ms (p95)   minirt/crun\n');
  for (const filter of ['none', 'RuntimeDefault'] as const) {
    await using bench = await Bench.open(crun, filter === 'RuntimeDefault');
    const ours: number[] = [];
    const theirs: number[] = [];
    for (let i = -WARM_UP; i < rounds; i++) {
      const pair = [await timed(() => bench.minirt()), await timed(() => bench.crun())] as const;
      if (i < 0) continue;
      ours.push(pair[0]);
      theirs.push(pair[1]);
    }
    const cell = (figures: readonly number[]): string =>
      `${median(figures).toFixed(1)} (${percentile(figures, 0.95).toFixed(1)})`.padStart(17);
    const ratio = (median(ours) / median(theirs)).toFixed(2);
    process.stdout.write(`${filter.padEnd(14)} ${cell(ours)} ${cell(theirs)} ${ratio.padStart(13)}\n`);
  }
  return 0;
}

function again(args: readonly string[]): number {
  const mounted = `mount -t cgroup2 none ${CGROUPS} && exec "$@"`;
  const command: readonly string[] = ['-m', 'sh', '-c', mounted, 'sh', process.execPath, ...process.argv.slice(1, 3)];
  const run: SpawnSyncReturns<Buffer> = spawnSync('unshare', [...command, ...args], {
    stdio: 'inherit',
    env: { ...process.env, [INSIDE]: '1' },
  });
  return run.status ?? 1;
}

class Bench implements AsyncDisposable {
  readonly #dir: string;
  readonly #crun: readonly string[];
  readonly #bundle: string;
  readonly #rootfs: string;
  readonly #cgroup: string;
  readonly #filter: string | undefined;
  readonly #namespaces: { readonly net: string; readonly ipc: string; readonly uts: string };

  private constructor(dir: string, crun: readonly string[], filter: string | undefined) {
    this.#dir = dir;
    this.#crun = crun;
    this.#filter = filter;
    this.#bundle = join(dir, 'bundle');
    this.#rootfs = join(dir, 'rootfs');
    this.#cgroup = join(CGROUPS, `minirt-bench-${randomBytes(4).toString('hex')}`);
    const kept = join(dir, 'm', 'pod');
    this.#namespaces = { net: join(kept, 'net'), ipc: join(kept, 'ipc'), uts: join(kept, 'uts') };
  }

  static async open(crun: readonly string[], filtered: boolean): Promise<Bench> {
    const dir = mkdtempSync('/tmp/minirt-bench-');
    const dirs = { profiles: join(dir, 'profiles'), filters: join(dir, 'filters') };
    const filter = filtered
      ? await seccompFilter({ kind: 'runtimeDefault' }, defaultCapabilities, dirs, never)
      : undefined;
    const bench = new Bench(dir, crun, filter);
    await bench.#prepare(filtered);
    return bench;
  }

  async #prepare(filtered: boolean): Promise<void> {
    for (const name of ['bin', 'etc', 'proc', 'sys', 'dev', 'tmp']) {
      mkdirSync(join(this.#rootfs, name), { recursive: true });
    }
    chmodSync(this.#rootfs, 0o755);
    copyFileSync('/bin/busybox', join(this.#rootfs, 'bin', 'busybox'));
    symlinkSync('busybox', join(this.#rootfs, 'bin', 'true'));
    mkdirSync(this.#bundle);
    mkdirSync(this.#cgroup);
    await makeSandbox({ hostname: 'bench', namespaces: this.#namespaces }, never);
    writeFileSync(join(this.#bundle, 'config.json'), JSON.stringify(this.#config(filtered)));
  }

  /** One container from nothing to nothing, by the helper. */
  async minirt(): Promise<void> {
    const id = randomBytes(32).toString('hex');
    const dir = join(this.#dir, id.slice(0, 12));
    const cgroup2 = join(this.#cgroup, id.slice(0, 12));
    mkdirSync(dir);
    mkdirSync(cgroup2);
    const socket = join(dir, 's');
    const spec = {
      id,
      owner: 'bench',
      rootfs: { store: '/', layers: [] },
      readonlyRootfs: false,
      mounts: [],
      namespaces: this.#namespaces,
      process: {
        args: ['/bin/true'],
        env: ['PATH=/bin'],
        cwd: '/',
        user: { uid: 0, gid: 0, groups: [0], home: '/' },
        capabilities: defaultCapabilities,
        noNewPrivileges: false,
        seccomp: this.#filter,
        terminal: false,
        stdin: false,
      },
      log: join(dir, 'log'),
    };
    const place = { dir, record: join(dir, 'record'), socket, upper: '', work: '', execs: dir };
    const plan = await launchPlan(spec, place, { cgroup2, cgroup1: [], devices: 'default' });
    // crun has no overlay to make.
    const ops = plan.flatMap((op): readonly Op[] => {
      if (op[0] === 'overlay') return [['rootfs', this.#rootfs]];
      return op[0] === 'store' ? [] : [op];
    });
    await spawnMonitor(encodePlan(ops), never);
    const client = await connectMonitor({ socket, pod: 'bench', container: id }, never);
    await client.start();
    await client.closed;
    rmdirSync(cgroup2);
    rmSync(dir, { recursive: true });
  }

  /** The same by crun. */
  async crun(): Promise<void> {
    const id = randomBytes(8).toString('hex');
    const [file = '', ...words] = this.#crun;
    const options = ['--cgroup-manager=cgroupfs', '--root', join(this.#dir, 'crun')];
    const child = spawn(file, [...words, ...options, 'run', '--bundle', this.#bundle, id], { stdio: 'inherit' });
    const [code] = (await once(child, 'close')) as [number | null];
    if (code !== 0) throw new Error(`crun run: ended with ${String(code)}`);
  }

  /** What the plan of {@link minirt} says, as the runtime-spec has it. */
  #config(filtered: boolean): object {
    const sets = ['bounding', 'effective', 'permitted'];
    const hidden = ['nosuid', 'noexec', 'nodev'];
    return {
      ociVersion: '1.0.2',
      process: {
        args: ['/bin/true'],
        env: ['PATH=/bin'],
        cwd: '/',
        user: { uid: 0, gid: 0 },
        capabilities: Object.fromEntries(sets.map((set) => [set, defaultCapabilities])),
      },
      root: { path: this.#rootfs },
      mounts: [
        { destination: '/proc', type: 'proc', source: 'proc', options: hidden },
        { destination: '/dev', type: 'tmpfs', source: 'tmpfs', options: ['nosuid', 'mode=755', 'size=65536k'] },
        {
          destination: '/dev/pts',
          type: 'devpts',
          source: 'devpts',
          options: ['nosuid', 'noexec', 'newinstance', 'ptmxmode=0666', 'mode=0620', 'gid=5'],
        },
        { destination: '/dev/mqueue', type: 'mqueue', source: 'mqueue', options: hidden },
        { destination: '/dev/shm', type: 'tmpfs', source: 'shm', options: [...hidden, 'mode=1777', 'size=65536k'] },
        { destination: '/sys', type: 'sysfs', source: 'sysfs', options: [...hidden, 'ro'] },
        { destination: '/sys/fs/cgroup', type: 'cgroup2', source: 'cgroup', options: [...hidden, 'relatime', 'ro'] },
      ],
      linux: {
        cgroupsPath: join(this.#cgroup.slice(CGROUPS.length), 'crun'),
        namespaces: [
          { type: 'pid' },
          { type: 'mount' },
          { type: 'cgroup' },
          { type: 'network', path: this.#namespaces.net },
          { type: 'ipc', path: this.#namespaces.ipc },
          { type: 'uts', path: this.#namespaces.uts },
        ],
        resources: { devices: [{ allow: false, access: 'rwm' }] },
        maskedPaths: [
          '/proc/acpi', '/proc/asound', '/proc/interrupts', '/proc/kcore', '/proc/keys', '/proc/latency_stats',
          '/proc/sched_debug', '/proc/scsi', '/proc/timer_list', '/proc/timer_stats', '/sys/devices/virtual/powercap',
          '/sys/firmware',
        ], // prettier-ignore
        readonlyPaths: ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger'],
        ...(filtered ? { seccomp: profile() } : {}),
      },
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await removeSandbox({ namespaces: this.#namespaces });
    await unmount(join(this.#dir, 'm'));
    rmdirSync(this.#cgroup);
    rmSync(this.#dir, { recursive: true, force: true });
  }
}

/** minirt's own profile, for a container with the usual capabilities, as the runtime-spec has it. */
function profile(): object {
  const { defaultAction, architectures, rules } = defaultProfile(hostArchitecture().go);
  const action = (one: Action): object => ({
    action: `SCMP_ACT_${one.kind.toUpperCase()}`,
    ...('number' in one ? { errnoRet: one.number } : {}),
  });
  const holds = ({ includes, excludes }: Rule): boolean => {
    const has = (name: string): boolean => defaultCapabilities.includes(name);
    return (includes?.caps ?? []).every(has) && !(excludes?.caps ?? []).some(has);
  };
  return {
    defaultAction: 'SCMP_ACT_ERRNO',
    ...('number' in defaultAction ? { defaultErrnoRet: defaultAction.number } : {}),
    architectures: architectures.map((name) => `SCMP_ARCH_${name.toUpperCase()}`),
    syscalls: rules.filter(holds).map((rule) => ({
      names: rule.names,
      ...action(rule.action),
      args: (rule.args ?? []).map(({ index, op, value, valueTwo }) => {
        return { index, op: `SCMP_CMP_${op}`, value: Number(value), valueTwo: Number(valueTwo) };
      }),
    })),
  };
}
