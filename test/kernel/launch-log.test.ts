import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { TestHost } from '../support/containers.ts';
import { mount, umount } from '../support/mounts.ts';

const host = new TestHost();
beforeAll(() => host.open());
afterAll(async () => {
  await host.close();
});

/** Stream, tag and length or text of every line. */
async function logOf(script: string): Promise<readonly string[]> {
  const container = await host.run({ args: ['sh', '-c', script] });
  await container.ended();
  return container.log().map((line) => {
    const match = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z (stdout|stderr) ([PF]) (.*)$/s.exec(line);
    const text = match?.[3] ?? line;
    return `${match?.[1]} ${match?.[2]} ${text.length > 40 ? text.length : text}`;
  });
}

test.each([
  ['a line', 'echo hello', ['stdout F hello']],
  ['an error', 'echo bad >&2', ['stderr F bad']],
  ['an empty line', 'echo', ['stdout F ']],
  ['a last line without its end', 'printf DONE', ['stdout P DONE']],
  ['a carriage return before the end of a line', 'printf "a\\r\\nb\\rc\\n"', ['stdout F a', 'stdout F b\rc']],
  ['nothing', 'true', []],
  ['16 KiB exactly', 'head -c 16384 /dev/zero | tr "\\0" x; echo', ['stdout F 16384']],
  ['16 KiB and a carriage return', 'head -c 16384 /dev/zero | tr "\\0" x; printf "\\r\\n"', ['stdout F 16384']],
  ['one byte more', 'head -c 16385 /dev/zero | tr "\\0" x; echo', ['stdout P 16384', 'stdout F x']],
  ['40000 bytes', 'head -c 40000 /dev/zero | tr "\\0" x; echo', ['stdout P 16384', 'stdout P 16384', 'stdout F 7232']],
])('the log of %s', async (_name, script, lines) => {
  expect(await logOf(script)).toEqual(lines);
});

test('a flood is logged whole, in order', async () => {
  const container = await host.run({ args: ['seq', '1', '200000'] });
  await container.ended();
  expect(container.output().split('\n')).toHaveLength(200_001);
  expect(container.output().endsWith('199999\n200000\n')).toBe(true);
});

test('who keeps the pipe open after the end holds the log up for a second at most', async () => {
  const before = Date.now();
  // In its own session, and not in the container's pid namespace there is none: all die with init.
  await logOf('sleep 100 & echo done');
  expect(Date.now() - before).toBeLessThan(3000);
});

test('a full disk loses bytes, counts them, and blocks nobody', async () => {
  const dir = `${host.dir}/full`;
  mount('tmpfs', dir, 'size=64k');
  try {
    const log = `${dir}/log`;
    const container = await host.run({ args: ['seq', '1', '100000'], spec: { log } });
    await container.ended();
    expect(container.records.at(-1)).toMatchObject({ event: 'log-lost' });
    const lost = container.records.at(-1);
    expect(lost?.event === 'log-lost' ? lost.bytes : 0).toBeGreaterThan(100_000);
    expect(readFileSync(log).length).toBeLessThanOrEqual(65536);
  } finally {
    umount(dir);
  }
});
