/** `npm run test:controls [NAME…]`: every test of an escape must fail when its defence is taken out. */
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { NEVER_HIT } from '../support/races.ts';
import type { Control } from './control.ts';
import { controls } from './controls.ts';
import { applied } from './edits.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const config = join(root, 'test/escapes/vitest.config.ts');

/** How often a race is run before it counts as one that cannot be won. */
const RACES = 6;

/** What became of a control: the tests that failed as they should, and what went wrong otherwise. */
interface Verdict {
  readonly red: number;
  readonly problems: readonly string[];
}

export function main(names: readonly string[]): number {
  const unknown = names.filter((name) => !Object.hasOwn(controls, name));
  if (unknown.length > 0) {
    process.stderr.write(`no such control: ${unknown.join(', ')}; there are ${Object.keys(controls).join(', ')}\n`);
    return 2;
  }
  let passed = 0;
  let failed = 0;
  for (const [name, control] of Object.entries(controls)) {
    if (names.length > 0 && !names.includes(name)) continue;
    const { red, problems } = check(name, control);
    if (problems.length === 0) passed++;
    else failed++;
    const outcome = problems.length === 0 ? `red, as it should be: ${red} tests` : problems.join('; ');
    process.stdout.write(`${name}: without ${control.without}: ${outcome}\n`);
  }
  const tally = `${passed} passed, ${failed} failed\n`;
  const file = process.env['MINIRT_TALLY'] ?? '';
  if (file === '') process.stdout.write(tally);
  else writeFileSync(file, tally);
  return failed === 0 ? 0 : 1;
}

function check(name: string, control: Control): Verdict {
  const folder = mkdtempSync(join(tmpdir(), 'mrt-control-'));
  try {
    const helper = helperWithout(control, folder);
    const verdicts = control.tests.map(([file, titles]) => run(name, { file, titles, helper, folder }));
    for (const [file, titles] of control.raced ?? []) {
      let verdict = run(name, { file, titles, helper, folder });
      for (let left = RACES - 1; left > 0 && verdict.red === 0; left--) {
        verdict = run(name, { file, titles, helper, folder });
      }
      verdicts.push(verdict);
    }
    const red = verdicts.reduce((sum, one) => sum + one.red, 0);
    return { red, problems: verdicts.flatMap(({ problems }) => problems) };
  } catch (error) {
    return { red: 0, problems: [error instanceof Error ? error.message : String(error)] };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Builds the helper with the edits of a control; undefined when none is about it. */
function helperWithout({ edits }: Control, folder: string): string | undefined {
  const files = new Set(edits.map(({ file }) => file).filter((file) => file.startsWith('native/')));
  if (files.size === 0) return undefined;
  const native = join(folder, 'native');
  // With the objects that are there, so that only what changes is compiled.
  cpSync(join(root, 'native'), native, { recursive: true, preserveTimestamps: true });
  for (const file of files) {
    const text = readFileSync(join(root, file), 'utf8');
    writeFileSync(
      join(folder, file),
      applied(
        text,
        edits.filter((edit) => edit.file === file),
      ),
    );
  }
  const made = spawnSync('make', ['-s', '-C', native], { encoding: 'utf8' });
  if (made.status !== 0) throw new Error(`the helper does not build: ${made.stderr}`);
  return join(native, 'build/minirt-helper');
}

interface Report {
  readonly testResults: readonly {
    readonly message?: string;
    readonly assertionResults: readonly {
      readonly fullName: string;
      readonly status: string;
      readonly failureMessages: readonly string[];
    }[];
  }[];
}

function run(
  control: string,
  { file, titles, helper, folder }: { file: string; titles: string; helper: string | undefined; folder: string },
): Verdict {
  const out = join(folder, 'report.json');
  rmSync(out, { force: true });
  const words = ['run', '--config', config, '--reporter=json', `--outputFile=${out}`, `test/kernel/${file}.test.ts`];
  const env = { ...process.env, MINIRT_CONTROL: control, ...(helper === undefined ? {} : { MINIRT_HELPER: helper }) };
  const ran = spawnSync(join(root, 'node_modules/.bin/vitest'), [...words, '-t', titles], {
    cwd: root,
    env,
    encoding: 'utf8',
    timeout: 300_000,
  });
  if (!existsSync(out)) return { red: 0, problems: [`${file}: no report: ${ran.stderr.slice(-500)}`] };
  const { testResults } = JSON.parse(readFileSync(out, 'utf8')) as Report;
  const tests = testResults.flatMap(({ assertionResults }) => assertionResults);
  const ofControl = tests.filter(({ status }) => status === 'passed' || status === 'failed');
  // A race that was never run fails as well, and says nothing of the defence.
  const isGreen = (one: (typeof tests)[number]): boolean =>
    one.status === 'passed' || one.failureMessages.some((message) => message.includes(NEVER_HIT));
  const green = ofControl.filter(isGreen).map(({ fullName }) => fullName);
  const problems = [
    ...(ofControl.length === 0 ? [`${file}: no test matches ${JSON.stringify(titles)}`] : []),
    ...green.map((title) => `${file}: still passes: ${title}`),
  ];
  return { red: ofControl.length - green.length, problems };
}
