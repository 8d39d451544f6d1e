import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { MinirtError, isErrno, messageOf } from '../../base/errors.ts';
import { runCommand } from '../../sys/command.ts';
import { Patience, descendants, isGone, processesIn, removeEmpty } from './tree.ts';

export const SLICE = 'minirt.slice';

/** How long systemd may take to put a process where it was asked to. */
const MOVE_LIMIT_MS = 10_000;

/** A property of a transient unit: name, D-Bus signature, and the value as busctl(1) wants it. */
type Property = readonly [name: string, signature: string, ...value: string[]];

export interface TransientService {
  /** `minirt-….service`. */
  readonly unit: string;
  readonly description: string;
  /** Absolute path first. */
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/**
 * Asks systemd for a cgroup of our own. A `scope` is put around this process; a `service` is a new process that systemd
 * starts, with a cgroup of its own, and restarts when it fails; its containers live on either way (KillMode=process).
 */
export async function delegateSelf(kind: 'scope', unit: string): Promise<void>;
export async function delegateSelf(kind: 'service', service: TransientService): Promise<void>;
export async function delegateSelf(kind: 'scope' | 'service', what: string | TransientService): Promise<void> {
  if (typeof what !== 'string') return startService(what);
  const answer = await startTransient(what, scopeProperties(process.pid));
  if (answer !== undefined) throw refusal(what, answer);
  const patience = new Patience(`move into ${kind} ${what}`, MOVE_LIMIT_MS);
  while (!readFileSync('/proc/self/cgroup', 'utf8').includes(`/${what}`)) {
    await patience.wait(() => 'systemd did not move this process');
  }
}

/**
 * A unit of this name may be there: somebody else starts it at this moment, systemd is about to restart it, or it was
 * stopped, and systemd keeps it for as long as a container runs in its cgroup. Started, it comes up in any case.
 */
async function startService(service: TransientService, attempts = 3): Promise<void> {
  const answer = await startTransient(service.unit, serviceProperties(service));
  if (answer === undefined) return;
  if (!/already/.test(answer)) throw refusal(service.unit, answer);
  const again = await callManager(['StartUnit', 'ss', service.unit, 'replace']);
  if (again === undefined) return;
  // Forgotten between the two calls.
  if (/not found|not loaded/.test(again) && attempts > 1) return startService(service, attempts - 1);
  throw refusal(service.unit, again);
}

/**
 * Starts a service of which nothing is wanted but its delegated cgroup, `dir`; it is there when this resolves. A process
 * that sleeps holds it, for systemd removes what is empty; without that process it stays as long as anybody is in it.
 */
export async function holdUnit(unit: string, dir: string): Promise<void> {
  const answer = await startTransient(unit, [
    ['Description', 's', 'minirt pods with limits'],
    ['Slice', 's', SLICE],
    ['Delegate', 'b', 'true'],
    ['KillMode', 's', 'process'],
    ['CollectMode', 's', 'inactive-or-failed'],
    ['ExecStart', 'a(sasb)', '1', '/bin/sleep', '2', '/bin/sleep', 'infinity', 'false'],
  ]);
  if (answer !== undefined && !/already/.test(answer)) throw refusal(unit, answer);
  const patience = new Patience(`start ${unit}`, MOVE_LIMIT_MS);
  while (!existsSync(dir) || processesIn(dir).length === 0) await patience.wait(() => 'systemd did not start it');
}

/** Ends what {@link holdUnit} started; resolves when its cgroup is gone. */
export async function stopUnit(unit: string, dir: string): Promise<void> {
  await callManager(['StopUnit', 'ss', unit, 'replace']);
  const patience = new Patience(`stop ${unit}`, MOVE_LIMIT_MS);
  while (existsSync(dir)) {
    // Its process may have died long ago: then nobody else removes what is left.
    for (const cgroup of descendants(dir)) removeEmpty(cgroup);
    await patience.wait(() => `${dir} stays`);
  }
}

export function scopeProperties(pid: number): Property[] {
  return [
    ['Description', 's', 'minirt pod in the foreground'],
    ['Slice', 's', SLICE],
    ['Delegate', 'b', 'true'],
    ['CollectMode', 's', 'inactive-or-failed'],
    ['PIDs', 'au', '1', String(pid)],
  ];
}

export function serviceProperties(service: TransientService): Property[] {
  const [program = ''] = service.command;
  const env = Object.entries(service.env).map(([name, value]) => `${name}=${value}`);
  return [
    ['Description', 's', service.description],
    ['Slice', 's', SLICE],
    ['Delegate', 'b', 'true'],
    ['KillMode', 's', 'process'],
    ['Restart', 's', 'on-failure'],
    // What a supervisor that is asked to go before it listens ends with: no failure either.
    ['SuccessExitStatus', '(aiai)', '1', String(128 + constants.signals.SIGTERM), '0'],
    ['CollectMode', 's', 'inactive-or-failed'],
    ['Environment', 'as', String(env.length), ...env],
    ['ExecStart', 'a(sasb)', '1', program, String(service.command.length), ...service.command, 'false'],
  ];
}

/** The words of the busctl(1) call that starts a transient unit. */
export function startTransientCall(unit: string, properties: readonly Property[]): string[] {
  return managerCall(startTransientWords(unit, properties));
}

function startTransientWords(unit: string, properties: readonly Property[]): string[] {
  const count = String(properties.length);
  return ['StartTransientUnit', 'ssa(sv)a(sa(sv))', unit, 'fail', count, ...properties.flat(), '0'];
}

function managerCall(words: readonly string[]): string[] {
  return [
    // busctl would take a dash in the command line of a service for an option of its own.
    ...['--system', '--quiet', '--', 'call'],
    ...['org.freedesktop.systemd1', '/org/freedesktop/systemd1', 'org.freedesktop.systemd1.Manager'],
    ...words,
  ];
}

function startTransient(unit: string, properties: readonly Property[]): Promise<string | undefined> {
  return callManager(startTransientWords(unit, properties));
}

/** What systemd said when it refused; undefined when it did not. */
async function callManager(words: readonly string[]): Promise<string | undefined> {
  try {
    const result = await runCommand('busctl', managerCall(words));
    return result.code === 0 ? undefined : result.stderr.trim();
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error;
    const options = { cause: error, hint: 'apt install systemd' };
    throw new MinirtError('host.no-cgroup', `run busctl: ${messageOf(error)}`, options);
  }
}

function refusal(unit: string, answer: string): MinirtError {
  return new MinirtError('host.no-cgroup', `ask systemd for a cgroup: ${unit}: ${answer}`, {
    hint: 'systemctl status dbus.socket',
  });
}

/**
 * The folder of the unit that this process is in, when systemd delegated it: `own` itself, or its parent when the owner
 * has stepped into `owner` already. Undefined otherwise: a login session's scope belongs to somebody else.
 */
export async function delegatedUnit(own: string): Promise<string | undefined> {
  const dir = basename(own) === 'owner' ? dirname(own) : own;
  const unit = basename(dir);
  if (!/\.(service|scope)$/.test(unit)) return undefined;
  try {
    const result = await runCommand('systemctl', ['show', '--property=Delegate', '--value', unit]);
    return result.stdout.trim() === 'yes' ? dir : undefined;
  } catch (error) {
    if (isErrno(error, 'ENOENT')) return undefined;
    throw error;
  }
}

/** Moves the unit's own processes into the leaf `owner`: a cgroup2 with processes of its own can have no controllers. */
export async function stepIntoLeaf(unitDir: string): Promise<void> {
  const leaf = join(unitDir, 'owner');
  mkdirSync(leaf, { recursive: true });
  const patience = new Patience(`move into ${leaf}`, MOVE_LIMIT_MS);
  for (;;) {
    const pids = readFileSync(join(unitDir, 'cgroup.procs'), 'utf8')
      .split('\n')
      .filter((pid) => Number(pid) > 0);
    if (pids.length === 0) return;
    for (const pid of pids) {
      try {
        writeFileSync(join(leaf, 'cgroup.procs'), pid, { flag: 'r+' });
      } catch (error) {
        if (!isErrno(error, 'ESRCH') && !isGone(error)) throw error;
      }
    }
    await patience.wait(() => `not moved: ${pids.join(' ')}`);
  }
}
