/** Escapes that win a race or not: each says how often it was run, and a race that never happened is a failure. */
import { lstatSync, mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, expect, test } from 'vitest';
import { eventually } from '../support/cli.ts';
import { useHostPods } from '../support/host-pods.ts';
import { expectHits } from '../support/races.ts';

const pods = useHostPods();
const canary = join(pods.folder, 'canary');

beforeAll(() => {
  mkdirSync(canary);
  writeFileSync(join(canary, 'mine'), 'host\n');
});

function untouched(): void {
  expect(readdirSync(canary)).toEqual(['mine']);
  expect(lstatSync(join(canary, 'mine')).size).toBe(5);
}

test('CVE-2021-30465, CVE-2024-45310: a mount in a shared volume is made within the container, wherever its place leads meanwhile', async () => {
  const shared = join(pods.folder, 'shared');
  mkdirSync(join(shared, 'place'), { recursive: true });
  const volumes = [
    { name: 'v', hostPath: { path: shared } },
    { name: 'm', emptyDir: {} },
  ];
  // Starts afresh each time around: what a runtime made there meanwhile must not end the race.
  const swap = `cd /v
    while :; do rm -rf place; ln -s ${canary} place; sleep 0.003; rm -rf place; mkdir place; sleep 0.003; done 2>/dev/null`;
  const racer = await pods.start([{ line: swap, volumeMounts: [{ name: 'v', mountPath: '/v' }] }], { volumes });
  // In the container's own tree: what the link led to when the mount was made.
  const line = `test -d ${canary}/inner && echo linked || echo within; touch ${canary}/inner/x 2>/dev/null`;
  const victims = [...Array(10).keys()].map((i) => ({
    name: `c${i}`,
    line,
    volumeMounts: [
      { name: 'v', mountPath: '/v' },
      { name: 'm', mountPath: '/v/place/inner' },
    ],
  }));
  const outcomes = new Map<string, number>();
  const times = (outcome: string): number => outcomes.get(outcome) ?? 0;
  const ROUNDS = 3;
  for (let round = 0; round < ROUNDS; round++) {
    const pod = await pods.start(victims, { volumes });
    await eventually(() => {
      for (const { name } of victims) {
        const told = new RegExp(`"container":"${name}","state":"(terminated|waiting","reason":"CreateContainer)`);
        expect(pod.journal()).toMatch(told);
      }
    });
    for (const { name } of victims) outcomes.set(pod.log(name), (outcomes.get(pod.log(name)) ?? 0) + 1);
    await pod.delete();
    untouched();
  }
  await racer.delete();
  // The place was a link now and then, and now and then it was not.
  const hits = Math.min(times('linked\n'), times('within\n'));
  expectHits('CVE-2021-30465', hits, ROUNDS * victims.length);
});

test.each(['/dev', '/dev/pts'])(
  'CVE-2025-52565: a terminal is never made on a volume over %s, which others could change',
  async (mountPath) => {
    const volume = join(pods.folder, `dev${mountPath.length}`);
    mkdirSync(join(volume, 'pts'), { recursive: true });
    const volumes = [{ name: 'v', hostPath: { path: volume } }];
    const prepare = `cd /v; ln -s ${canary}/mine console; ln -s ${canary}/mine ptmx; ln -s ${canary}/mine pts/ptmx`;
    const before = await pods.start([{ line: prepare, volumeMounts: [{ name: 'v', mountPath: '/v' }] }], { volumes });
    await before.ended();
    const volumeMounts = [{ name: 'v', mountPath }];
    const pod = await pods.start([{ line: 'echo ran', tty: true, volumeMounts }], { volumes });
    await eventually(() => {
      expect(pod.journal()).toMatch(/"reason":"CreateContainerError","message":"[^"]*terminal: open ptmx/);
    });
    await pod.delete();
    expect(pod.log()).toBe('');
    untouched();
  },
);
