import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { launchPlan } from '../../src/container/launch.ts';
import { connectMonitor } from '../../src/helper/monitor.ts';
import { helperPath } from '../../src/helper/locate.ts';
import { encodePlan } from '../../src/helper/plan.ts';
import { follow, TestHost } from '../support/containers.ts';

test('kill -9 of the owner leaves the container running, and another one can take it over', async () => {
  const host = await new TestHost().open();
  try {
    const id = 'a'.repeat(64);
    const spec = host.spec({ args: ['sh', '-c', 'sleep 0.3; echo late; exit 5'] }, id);
    const place = host.place(id);
    const cgroup2 = join(host.cgroup, 'a');
    for (const dir of [cgroup2, place.dir, place.work, place.upper, join(host.dir, 's'), join(host.dir, 'log')]) {
      mkdirSync(dir, { recursive: true });
    }
    const plan = join(host.dir, 'plan');
    writeFileSync(plan, encodePlan(await launchPlan(spec, place, { cgroup2, cgroup1: [], devices: 'default' })));
    // An owner of its own process: it spawns the monitor as minirt does, says so, and waits to be killed.
    const program = `
      const { spawn } = require('node:child_process'), { readFileSync } = require('node:fs');
      const child = spawn(${JSON.stringify(helperPath())}, ['monitor'], { stdio: ['pipe', 'pipe', 'ignore'], detached: true });
      child.stdout.on('data', (text) => process.stdout.write(text));
      child.stdin.end(readFileSync(${JSON.stringify(plan)}));
      setInterval(() => {}, 1000);`;
    const owner = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'inherit'] });
    const [said] = (await once(owner.stdout, 'data')) as [Buffer];
    expect(said.toString()).toContain('"event":"created"');
    owner.kill('SIGKILL');
    await once(owner, 'exit');
    const client = await connectMonitor(
      { socket: place.socket, pod: host.owner, container: id },
      new AbortController().signal,
    );
    const container = follow(client, { spec, place, cgroup2 });
    await client.start();
    expect(await container.ended()).toMatchObject({ event: 'exited', code: 5 });
    expect(container.output()).toBe('late\n');
  } finally {
    await host.close();
  }
});
