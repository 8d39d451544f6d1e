import { execFileSync } from 'node:child_process';
import { randomBytes, randomUUID } from 'node:crypto';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmdirSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { createContainer, removeContainer, type ContainerPlace } from '../../src/container/runtime.ts';
import { defaultCapabilities } from '../../src/container/capabilities.ts';
import { type Snapshot, snapshot } from '../../src/doctor/snapshot.ts';
import type { ContainerSpec, ProcessSpec } from '../../src/container/spec.ts';
import type { MonitorClient } from '../../src/helper/monitor.ts';
import { makeSandbox, unmount, removeSandbox, type SandboxFiles } from '../../src/helper/sandbox.ts';
import type { MonitorRecord } from '../../src/helper/record.ts';
import { leftSince } from './leaks.ts';

/** Where this machine keeps cgroup2: the whole tree, or `unified` on a hybrid host. */
export const cgroup2Root = existsSync('/sys/fs/cgroup/unified/cgroup.procs')
  ? '/sys/fs/cgroup/unified'
  : '/sys/fs/cgroup';

/** A container that a test runs: its connection, what was recorded, and its log. */
export interface TestContainer {
  readonly client: MonitorClient;
  readonly records: readonly MonitorRecord[];
  readonly place: ContainerPlace;
  readonly spec: ContainerSpec;
  readonly cgroup2: string;
  /** The lines of the log so far. */
  log(): readonly string[];
  /** The contents of stdout, without stamps; partial lines are joined. */
  output(): string;
  /** Waits until the monitor has ended, that is: until the log is complete. */
  ended(): Promise<MonitorRecord | undefined>;
}

export interface RunOptions {
  readonly args: readonly string[];
  readonly process?: Partial<ProcessSpec>;
  readonly spec?: Partial<ContainerSpec>;
  /** Do not start it. */
  readonly created?: boolean;
}

const never = new AbortController().signal;

/** A temporary store with a busybox image, and namespaces for containers; `close` removes everything. */
export class TestHost {
  readonly dir = mkdtempSync('/tmp/mrt-');
  readonly owner = randomUUID();
  readonly store = join(this.dir, 'store');
  readonly namespaces: SandboxFiles;
  readonly cgroup = join(cgroup2Root, `mrt-test-${randomBytes(4).toString('hex')}`);
  readonly #roots = { root: this.dir, state: this.dir, logs: this.dir };
  #before: Snapshot = new Set();
  #containers: TestContainer[] = [];

  constructor() {
    const files = join(this.dir, 'm', this.owner);
    this.namespaces = { net: join(files, 'net'), ipc: join(files, 'ipc'), uts: join(files, 'uts') };
    mkdirSync(this.cgroup);
    this.layer('base', (root) => {
      for (const dir of ['bin', 'etc', 'tmp', 'proc', 'sys', 'dev', 'root']) mkdirSync(join(root, dir));
      copyFileSync('/bin/busybox', join(root, 'bin', 'busybox'));
      for (const name of applets) symlinkSync('busybox', join(root, 'bin', name));
      writeFileSync(join(root, 'etc', 'passwd'), 'root:x:0:0::/root:/bin/sh\n');
      writeFileSync(join(root, 'etc', 'plain'), 'not a program\n');
    });
  }

  async open(): Promise<this> {
    this.#before = await snapshot(this.#roots);
    await makeSandbox({ hostname: 'pod-0', namespaces: this.namespaces }, never);
    return this;
  }

  /** Adds a layer directory to the store. */
  layer(name: string, fill: (root: string) => void): string {
    const root = join(this.store, name);
    mkdirSync(root, { recursive: true });
    chmodSync(root, 0o755);
    fill(root);
    return name;
  }

  spec(options: RunOptions, id: string): ContainerSpec {
    return {
      id,
      owner: this.owner,
      rootfs: { store: this.store, layers: ['base'] },
      readonlyRootfs: false,
      mounts: [],
      namespaces: this.namespaces,
      process: {
        args: options.args,
        env: ['PATH=/bin'],
        cwd: '/',
        user: { uid: 0, gid: 0, groups: [0], home: '/' },
        capabilities: defaultCapabilities,
        noNewPrivileges: false,
        seccomp: undefined,
        terminal: false,
        stdin: false,
        ...options.process,
      },
      log: join(this.dir, 'log', `${id.slice(0, 12)}.log`),
      ...options.spec,
    };
  }

  place(id: string): ContainerPlace {
    const dir = join(this.dir, 'c', id.slice(0, 12));
    return {
      dir,
      record: join(dir, 'record.jsonl'),
      socket: join(this.dir, 's', id.slice(0, 12)),
      upper: join(this.dir, 'bulk', id.slice(0, 12), 'upper'),
      work: join(this.dir, 'bulk', id.slice(0, 12), 'work'),
      execs: join(dir, 'exec'),
    };
  }

  /** Creates a container and, unless told otherwise, starts it. */
  async run(options: RunOptions): Promise<TestContainer> {
    const id = randomBytes(32).toString('hex');
    const spec = this.spec(options, id);
    const place = this.place(id);
    const cgroup2 = join(this.cgroup, id.slice(0, 12));
    mkdirSync(cgroup2);
    const client = await createContainer(spec, place, { cgroup2, cgroup1: [], devices: 'default' }, never);
    const container = follow(client, { spec, place, cgroup2 });
    this.#containers.push(container);
    if (options.created !== true) await client.start();
    return container;
  }

  /** Runs a shell script to its end and answers what it said. */
  async sh(
    script: string,
    options: Omit<RunOptions, 'args'> = {},
  ): Promise<{ out: string; exit: MonitorRecord | undefined }> {
    const container = await this.run({ ...options, args: ['sh', '-c', script] });
    const exit = await container.ended();
    return { out: container.output(), exit };
  }

  async close(): Promise<void> {
    for (const { client, place } of this.#containers) {
      await client.kill().catch(() => {});
      await client.closed;
      await removeContainer(place);
    }
    await removeSandbox({ namespaces: this.namespaces });
    await unmount(join(this.dir, 'm'));
    // A killed monitor leaves its container dying.
    await until('the cgroups are empty', () =>
      readFileSync(join(this.cgroup, 'cgroup.events'), 'utf8').includes('populated 0'),
    );
    removeCgroups(this.cgroup);
    rmSync(this.dir, { recursive: true, force: true });
    expect(await leftSince(this.#before, this.#roots)).toEqual([]);
  }
}

export function follow(
  client: MonitorClient,
  place: { readonly spec: ContainerSpec; readonly place: ContainerPlace; readonly cgroup2: string },
): TestContainer {
  const records: MonitorRecord[] = [];
  client.watch((record) => records.push(record));
  const log = (): readonly string[] => readFileSync(place.spec.log, 'utf8').split('\n').slice(0, -1);
  return {
    client,
    records,
    ...place,
    log,
    output: () =>
      log()
        .map((line) => /^\S+ stdout ([PF]) (.*)$/.exec(line))
        .map((match) => (match === null ? '' : `${match[2]}${match[1] === 'F' ? '\n' : ''}`))
        .join(''),
    ended: async () => {
      await client.closed;
      return records.find((record) => record.event === 'exited' || record.event === 'failed');
    },
  };
}

/** Waits until a condition holds; says which when it does not within 10 s. */
export async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const end = Date.now() + 10_000;
  while (!(await holds())) {
    if (Date.now() > end) throw new Error(`waited 10 s for: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

function removeCgroups(dir: string): void {
  for (const entry of readdirSync(dir, { withFileTypes: true })) {
    if (entry.isDirectory()) removeCgroups(join(dir, entry.name));
  }
  rmdirSync(dir);
}

const applets = execFileSync('/bin/busybox', ['--list'], { encoding: 'utf8' })
  .split('\n')
  .filter((name) => name !== '' && name !== 'busybox');
