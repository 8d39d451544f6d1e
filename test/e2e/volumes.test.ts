import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { eventually } from '../support/cli.ts';
import { Victim } from '../support/crash.ts';
import { expectNoLeaks } from '../support/leaks.ts';

const ROUNDS = 12;
const FIRST_MS = 300;
const LAST_MS = 150;

const victim = new Victim();

expectNoLeaks(() => victim.roots);
beforeAll(() => victim.load('busybox'));
afterEach(() => victim.clear());
afterAll(() => victim.remove());

test(
  `owners that die while a volume comes and goes, ${ROUNDS} times, leave nothing`,
  { timeout: 300_000 },
  async () => {
    for (let round = 0; round < ROUNDS; round++) {
      const name = `v${round}`;
      const moments = [Math.random() * FIRST_MS, Math.random() * LAST_MS];
      const line = 'echo x >> /v/n; trap "exit 0" TERM; while :; do sleep 0.05; done';
      const container = {
        volumeMounts: [
          { name: 'v', mountPath: '/v' },
          { name: 'm', mountPath: '/m' },
        ],
      };
      const items = [{ path: 'name', fieldRef: { fieldPath: 'metadata.name' } }];
      const volumes = [
        { name: 'v', emptyDir: {} },
        { name: 'm', downwardAPI: { items } },
      ];
      const file = victim.manifest(name, line, { container, volumes });
      const create = victim.start('create', '-f', file);
      await eventually(async () => {
        await victim.pod(name);
        expect(victim.supervisor()).toBeDefined();
      });
      await delay(moments[0]);
      await victim.killSupervisor();
      expect(await create.done).toMatchObject({ code: 0 });
      await victim.adopted(name);
      await victim.until(name, 'running');
      const { bulk } = (await victim.pod(name)).paths;
      const volume = join(bulk, 'volumes', 'v');
      await eventually(() => {
        expect({ moments, text: readFileSync(join(volume, 'n'), 'utf8') }).toEqual({ moments, text: 'x\n' });
      });
      expect(statSync(volume).mode & 0o7777).toBe(0o777);
      const { memory } = (await victim.pod(name)).paths;
      expect(readFileSync(join(memory, 'm', 'name'), 'utf8')).toBe(name);
      const doomed = victim.start('delete', 'pod', name);
      await delay(moments[1]);
      // It may have gone by itself: this pod was its last.
      await victim.killSupervisor().catch(() => undefined);
      await doomed.done;
      // Done by now, unless the owner died first.
      await victim.run('delete', 'pod', name);
      expect({
        moments,
        left: existsSync(bulk) || existsSync(memory),
        others: readdirSync(join(victim.roots.root, 'pods')),
      }).toEqual({
        moments,
        left: false,
        others: [],
      });
    }
  },
);
