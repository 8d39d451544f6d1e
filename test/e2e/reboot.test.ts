import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { isErrno } from '../../src/base/errors.ts';
import { eventually } from '../support/cli.ts';
import { Victim } from '../support/crash.ts';
import { expectNoLeaks } from '../support/leaks.ts';

const NO_BOOT = '00000000-0000-0000-0000-000000000000';
const DAY = 86_400_000_000_000n;
const steady = "trap 'exit 0' TERM; echo up; while :; do sleep 0.05; done";
const deaf = "trap '' TERM; echo up; while :; do sleep 0.05; done";

const victim = new Victim();

expectNoLeaks(() => victim.roots);
beforeAll(() => victim.load('busybox'));
afterEach(() => victim.clear());
afterAll(() => victim.remove());

test('a pod whose host was restarted goes on as its restart policy says', async () => {
  await victim.create('again', steady);
  await victim.until('again', 'running');
  await restartHost('again');
  await victim.adopted('again');
  const container = await eventually(async () => {
    const now = await victim.container('again');
    expect(now).toMatchObject({ restartCount: 1, state: { phase: 'running' } });
    return now;
  }, 15_000);
  expect(container.last).toMatchObject({ exitCode: 137, reason: 'ContainerStatusUnknown' });
  const view = await victim.pod('again');
  expect(await victim.entries(view, 'note')).toMatchObject([{ text: 'the host was restarted: what ran is lost' }]);
  expect(await victim.run('exec', 'again', '--', 'hostname')).toMatchObject({ code: 0, stdout: 'again\n' });
});

test('… or has failed', async () => {
  await victim.create('once', steady, { restartPolicy: 'Never' });
  await victim.until('once', 'running');
  await restartHost('once');
  await victim.adopted('once');
  await eventually(async () => {
    expect((await victim.pod('once')).record.ended).toMatchObject({ phase: 'Failed' });
  }, 15_000);
  expect((await victim.pod('once')).object.status?.containerStatuses?.[0]?.state?.terminated).toMatchObject({
    exitCode: 137,
    reason: 'ContainerStatusUnknown',
  });
});

test('… or, when it was being deleted, is gone without waiting for its grace period', async () => {
  await victim.create('ending', deaf, { terminationGracePeriodSeconds: 600 });
  await victim.until('ending', 'running');
  expect(await victim.run('delete', 'pod', 'ending', '--wait=false')).toMatchObject({ code: 0 });
  await victim.until('ending', 'stopping');
  const view = await victim.pod('ending');
  await restartHost('ending');
  await victim.adopted('ending').catch(() => undefined);
  await eventually(() => {
    expect(existsSync(view.paths.dir)).toBe(false);
  }, 15_000);
});

/** All that a restart of the host takes from a pod that nobody owns by then; its stamps become those of another boot. */
async function restartHost(name: string): Promise<void> {
  const monitors = await victim.monitors(name);
  const pids = await victim.pids(name);
  const { paths } = await victim.pod(name);
  await victim.killSupervisor();
  // Monitors first: nobody is left who could write how it ended.
  for (const pid of [...monitors, ...pids]) kill(pid);
  await eventually(() => {
    expect([...pids, ...monitors].filter((pid) => existsSync(`/proc/${pid}/exe`))).toEqual([]);
  });
  for (const kind of ['net', 'ipc', 'uts']) execFileSync('umount', [`${paths.namespaces}/${kind}`]);
  writeFileSync(`${victim.roots.state}/network/boot-id`, NO_BOOT);
  const state = readFileSync(paths.state, 'utf8')
    .replace(/"bootId":"[^"]*"/, `"bootId":"${NO_BOOT}"`)
    .replaceAll(/\{"mono":"(\d+)"\}/g, (_, stamp: string) => `{"mono":"${BigInt(stamp) + DAY}"}`);
  writeFileSync(paths.state, state);
}

/** What is gone already need not be. */
function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if (!isErrno(error, 'ESRCH')) throw error;
  }
}
