import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';

const tally = fileURLToPath(new URL('../../scripts/tally.mjs', import.meta.url));
const folder = mkdtempSync('/tmp/tally-');
afterAll(() => rmSync(folder, { recursive: true }));

const pass = { status: 'passed', fullName: 'a' };
const fail = { status: 'failed', fullName: 'b' };
const skip = { status: 'skipped', fullName: 'c' };
const file = (status: string, ...assertionResults: object[]): object => ({
  name: 'x.test.ts',
  status,
  assertionResults,
});
const report = (...testResults: object[]): string => JSON.stringify({ testResults });

test.each([
  ['counts what passed', report(file('passed', pass, pass)), '0', {}, '2 passed, 0 failed', 0],
  ['counts what failed', report(file('failed', pass, fail)), '1', {}, '1 passed, 1 failed', 1],
  ['lets a skip pass on a desk', report(file('passed', pass, skip)), '0', {}, '1 passed, 0 failed', 0],
  [
    'fails a skip where all must work',
    report(file('passed', pass, skip)),
    '0',
    { MINIRT_MUST_WORK: '1' },
    '1 passed, 1 failed',
    1,
  ],
  ['fails a skip in CI', report(file('passed', pass, skip)), '0', { CI: 'true' }, '1 passed, 1 failed', 1],
  ['fails a file that did not load', report(file('passed', pass), file('failed')), '1', {}, '1 passed, 1 failed', 1],
  ['fails an error outside of tests', report(file('passed', pass)), '1', {}, '1 passed, 1 failed', 1],
  ['fails when nothing ran', report(), '0', {}, '0 passed, 0 failed', 1],
  ['fails a report that was cut off', '{"testRes', '0', {}, '0 passed, 1 failed', 1],
])('%s', (_what, text, vitestStatus, env, line, status) => {
  const [input, output] = [join(folder, 'report'), join(folder, 'tally')];
  writeFileSync(input, text);
  const run = spawnSync(process.execPath, [tally, input, vitestStatus, output], { env: { PATH: '/usr/bin', ...env } });
  expect(readFileSync(output, 'utf8')).toBe(`${line}\n`);
  expect(run.status).toBe(status);
});
