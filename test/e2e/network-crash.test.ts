import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { namesIn } from '../../src/doctor/known.ts';
import { networkPaths } from '../../src/network/paths.ts';
import { eventually } from '../support/cli.ts';
import { Victim } from '../support/crash.ts';
import { FakeHost } from '../support/fake-host.ts';
import { expectNoLeaks } from '../support/leaks.ts';

const ROUNDS = 12;
/** Attaching and detaching take about this long. */
const ADD_MS = 400;
const DEL_MS = 400;

const victim = new Victim();
const host = new FakeHost();

expectNoLeaks(() => victim.roots);
beforeAll(async () => {
  victim.enter(host.path);
  await victim.load('busybox');
});
afterEach(() => victim.clear());
afterAll(async () => {
  await host.remove();
  await victim.remove();
});

test(
  `owners that die while a pod is attached or detached, ${ROUNDS} times, leave nothing`,
  { timeout: 300_000 },
  async () => {
    const before = { rules: host.rules(), links: host.links(), cached: [], addresses: [] };
    const { cache, ipam } = networkPaths(victim.roots.state);
    for (let round = 0; round < ROUNDS; round++) {
      const name = `n${round}`;
      const moments = [Math.random() * ADD_MS, Math.random() * DEL_MS];
      const container = { ports: [{ containerPort: 80, hostPort: 8080 }] };
      const create = victim.start(
        'create',
        '-f',
        victim.manifest(name, 'sleep 1000', { container, terminationGracePeriodSeconds: 0 }),
      );
      await eventually(async () => {
        await victim.pod(name);
        expect(victim.supervisor()).toBeDefined();
      });
      await delay(moments[0]);
      await victim.killSupervisor();
      await create.done;
      const doomed = victim.start('delete', 'pod', name);
      await delay(moments[1]);
      // It may have gone by itself, or not have come yet.
      await victim.killSupervisor().catch(() => undefined);
      await doomed.done;
      // Done by now, unless the owner died first.
      await victim.run('delete', 'pod', name);
      const after = {
        rules: host.rules(),
        links: host.links(),
        cached: namesIn(cache),
        addresses: namesIn(`${ipam}/default`).filter((one) => /^[\d.]+$/.test(one)),
      };
      expect({ moments, ...after }).toEqual({ moments, ...before });
    }
  },
);
