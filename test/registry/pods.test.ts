import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readFileSync } from 'node:fs';
import { eventually } from '../support/cli.ts';
import { type Decide, FaultProxy } from '../support/fault-proxy.ts';
import { useHostPods } from '../support/host-pods.ts';
import { tar } from '../support/images.ts';
import { Registry } from '../support/registry.ts';
import { nobody } from '../support/servers.ts';

const pods = useHostPods();

describe('a pod whose image is at a registry', () => {
  let registry: Registry;

  beforeAll(async () => {
    registry = await Registry.start();
    const shell = { name: 'bin/sh', content: readFileSync('/bin/busybox'), mode: 0o755 };
    const layer = await tar([{ name: 'bin/' }, { name: 'etc/' }, shell]);
    for (const name of ['sh:1', 'sh:2', 'sh:3', 'sh:4']) await registry.push({ layers: [layer], gzip: true }, name);
    // Nothing of it is here before it is asked for.
    const other = await tar([{ name: 'bin/' }, shell, { name: 'other', content: 'x' }]);
    await registry.push({ layers: [other], gzip: true }, 'slow:1');
  });
  afterAll(() => registry[Symbol.asyncDispose]());

  const before = (decide: Decide): Promise<FaultProxy> => FaultProxy.before(registry.origin, decide);
  const container = (image: string, policy: string): { line: string; [field: string]: unknown } => ({
    line: 'true',
    image,
    imagePullPolicy: policy,
  });
  /** Reasons and messages of its events, in order. */
  const events = (journal: string): readonly string[] =>
    journal.split('\n').flatMap((line) => {
      if (line === '') return [];
      const entry = JSON.parse(line) as { kind: string; reason?: string; message?: string };
      return entry.kind === 'event' ? [`${entry.reason}: ${entry.message}`] : [];
    });

  test('pulls it, says how long that took, and runs', async () => {
    const image = `${registry.host}/sh:1`;
    const pod = await pods.start([container(image, 'IfNotPresent')]);
    await eventually(() => {
      expect(events(pod.journal())).toContainEqual('Started: Container started');
    });
    const all = events(pod.journal());
    const at = all.indexOf(`Pulling: Pulling image "${image}"`);
    expect(at).toBeGreaterThanOrEqual(0);
    expect(all[at + 1]).toMatch(
      new RegExp(
        `^Pulled: Successfully pulled image "${image}" in [0-9.]+m?s \\([0-9.]+m?s including waiting\\)\\. Image size: \\d+ bytes\\.$`,
      ),
    );
    await pod.ended();
  });

  test.each<[string, string, readonly string[]]>([
    ['asks the registry each time with Always', 'Always', ['Pulled: Successfully', 'Pulled: Successfully']],
    ['asks once with IfNotPresent', 'IfNotPresent', ['Pulled: Successfully', 'Pulled: Container image']],
  ])('%s', async (_what, policy, expected) => {
    const image = `${registry.host}/sh:${policy === 'Always' ? 2 : 3}`;
    const pulled: string[] = [];
    for (let i = 0; i < 2; i++) {
      const pod = await pods.start([container(image, policy)]);
      await eventually(() => {
        expect(pod.journal()).toContain('"Started"');
      });
      pulled.push(...events(pod.journal()).filter((event) => event.startsWith('Pulled')));
      await pod.ended();
    }
    expect(pulled.map((text, i) => text.startsWith(expected[i] ?? '-'))).toEqual([true, true]);
  });

  test('waits after a failure, says so, tries again after ten seconds, and runs', async () => {
    await using proxy = await before(({ path }, times) =>
      path.includes('/manifests/') && times === 0 ? { kind: 'answer', status: 404 } : undefined,
    );
    const image = `${proxy.host}/sh:4`;
    const pod = await pods.start([container(image, 'IfNotPresent')]);
    const why = `find image: ${proxy.host}/sh: the registry answered 404`;
    await eventually(async () => {
      expect((await pod.status()).containerStatuses?.[0]?.state).toEqual({
        waiting: { reason: 'ErrImagePull', message: why },
      });
    });
    await eventually(async () => {
      expect((await pod.status()).containerStatuses?.[0]?.state).toEqual({
        waiting: { reason: 'ImagePullBackOff', message: `Back-off pulling image "${image}": ErrImagePull: ${why}` },
      });
    });
    const failedAt = performance.now();
    await eventually(() => {
      expect(pod.journal()).toContain('"Started"');
    });
    expect(performance.now() - failedAt).toBeGreaterThan(8000);
    const all = events(pod.journal()).filter((event) => !event.startsWith('Pod') && !event.startsWith('Scheduled'));
    expect(all.slice(0, 6)).toEqual([
      `Pulling: Pulling image "${image}"`,
      `Failed: Failed to pull image "${image}": ${why}`,
      'Failed: Error: ErrImagePull',
      `BackOff: Back-off pulling image "${image}"`,
      'Failed: Error: ImagePullBackOff',
      `Pulling: Pulling image "${image}"`,
    ]);
    await pod.ended();
  });

  test('can be deleted while it pulls', async () => {
    await using proxy = await before(({ path }) =>
      path.includes('/blobs/') ? { kind: 'stall', after: 1 } : undefined,
    );
    const pod = await pods.start([container(`${proxy.host}/slow:1`, 'Always')]);
    await eventually(() => {
      expect(proxy.paths(/blobs/)).not.toEqual([]);
    });
    const began = performance.now();
    await pod.delete({ now: false });
    expect(performance.now() - began).toBeLessThan(20_000);
  });

  test('can be deleted while it waits for a registry that is not there', async () => {
    const image = `127.0.0.1:${await nobody()}/sh:1`;
    const pod = await pods.start([container(image, 'IfNotPresent')]);
    await eventually(async () => {
      expect((await pod.status()).containerStatuses?.[0]?.state?.waiting?.reason).toBe('ImagePullBackOff');
    });
    await pod.delete({ now: false });
  });
});
