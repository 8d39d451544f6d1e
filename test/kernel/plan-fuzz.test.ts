/** Plans that nobody would write, for the parser of the helper under ASan and UBSan; `npm run fuzz:plan` tries a million. */
import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { helperPath } from '../../src/helper/locate.ts';

const top = fileURLToPath(new URL('../..', import.meta.url));
const PLANS = 50_000;

test('CVE-2021-43784: no plan makes the helper read or write where it must not', () => {
  // Of the sources that the helper under test was made from.
  const build = dirname(helperPath());
  execFileSync('make', ['-s', '-C', dirname(build), 'fuzz', `FUZZER=${join(top, 'test/fuzz/plan.c')}`], {
    stdio: 'pipe',
  });
  const corpus = join(top, 'test/fuzz/corpus/plan');
  const files = readdirSync(corpus).map((name) => join(corpus, name));
  expect(files.length).toBeGreaterThan(0);
  const said = execFileSync(join(build, 'fuzz-plan'), [String(PLANS), '1', ...files], { encoding: 'utf8' });
  expect(said).toContain(`${PLANS}`);
});
