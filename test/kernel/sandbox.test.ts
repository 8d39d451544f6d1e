import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, expect, test } from 'vitest';
import { encodePlan } from '../../src/helper/plan.ts';
import { runRole } from '../../src/helper/process.ts';
import { makeSandbox, unmount, removeSandbox } from '../../src/helper/sandbox.ts';

const never = new AbortController().signal;
const dir = mkdtempSync('/tmp/mrt-');
const namespaces = { net: join(dir, 'm/p/net'), ipc: join(dir, 'm/p/ipc'), uts: join(dir, 'm/p/uts') };
const mounts = (): readonly string[] =>
  readFileSync('/proc/self/mountinfo', 'utf8')
    .split('\n')
    .filter((line) => line.includes(dir));
const inside = (...command: string[]): string =>
  execFileSync(
    'nsenter',
    [`--net=${namespaces.net}`, `--uts=${namespaces.uts}`, `--ipc=${namespaces.ipc}`, ...command],
    { encoding: 'utf8' },
  );

afterEach(async () => {
  await removeSandbox({ namespaces });
  await unmount(join(dir, 'm'));
  expect(mounts()).toEqual([]);
});
afterAll(() => {
  rmSync(dir, { recursive: true });
});

test('namespaces live on as files, with a name, and with lo up', async () => {
  await makeSandbox({ hostname: 'web-0', namespaces, sysctls: { 'net.ipv4.ip_unprivileged_port_start': '0' } }, never);
  expect(inside('hostname')).toBe('web-0\n');
  expect(inside('ip', '-br', 'link')).toMatch(/^lo\s+UNKNOWN[^\n]*\n$/);
  expect(inside('cat', '/proc/sys/net/ipv4/ip_unprivileged_port_start')).toBe('0\n');
  expect(execFileSync('hostname', { encoding: 'utf8' })).not.toBe('web-0\n');
});

test('their parent is one private mount point, however often', async () => {
  await makeSandbox({ hostname: 'a', namespaces }, never);
  const other = { net: join(dir, 'm/q/net'), ipc: join(dir, 'm/q/ipc'), uts: join(dir, 'm/q/uts') };
  await makeSandbox({ hostname: 'b', namespaces: other }, never);
  const parents = mounts().filter((line) => line.split(' ')[4] === join(dir, 'm'));
  expect(parents).toHaveLength(1);
  expect(parents[0]).not.toMatch(/shared:|master:/);
  expect(mounts()).toHaveLength(7);
  await removeSandbox({ namespaces: other });
  expect(existsSync(join(dir, 'm/q'))).toBe(false);
  expect(mounts()).toHaveLength(4);
});

test('one that fails leaves nothing', async () => {
  const sysctls = { 'kernel.no_such_thing': '1' };
  await expect(makeSandbox({ hostname: 'a', namespaces, sysctls }, never)).rejects.toMatchObject({
    code: 'helper.failed',
    details: { stage: 'namespaces', errnoName: 'ENOENT' },
  });
  expect(existsSync(join(dir, 'm/p'))).toBe(false);
});

test.each([
  ['an unknown operation', [['nonsense']], 'operation nonsense'],
  ['an operation of another role', [['overlay', '', '', '', '']], 'operation overlay'],
  ['a missing argument', [['bind-ns', 'net']], 'operation bind-ns: argument end'],
  ['a wrong choice', [['bind-ns', 'moon', '/x']], 'operation bind-ns: argument moon'],
] as const)('%s is refused before anything is done', async (_name, ops, what) => {
  await expect(runRole('sandbox', { plan: encodePlan([['hostname', 'x'], ...ops]) })).rejects.toMatchObject({
    details: { stage: 'plan', errnoName: 'EINVAL', what },
  });
});
