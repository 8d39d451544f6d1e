/** `npm run conformance`: replays recordings by the command line and prints how each went. */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { messageOf } from '../../src/base/errors.ts';
import { type Recording, recordings } from './recording.ts';
import { type Row, reportJson, resultText, summaryOf, tableText } from './report.ts';
import { JOBS, startSuite } from './suite.ts';

const USAGE = `usage: npm run conformance [-- NAME... --repeat N --jobs N --json FILE --dir DIR]
  NAME         only these recordings
  --repeat N   each of them N times, to find what goes now this way and now that
  --jobs N     so many at the same time (${JOBS}); more make each other late
  --json FILE  the whole report
  --dir DIR    the recordings of another folder
`;

interface Choice {
  readonly chosen: readonly Recording[];
  readonly repeat: number;
  readonly jobs: number;
  readonly json: string | undefined;
}

/** Answers the exit status: 0 when nothing differed, 1 when something did, 2 for a wrong command line. */
export async function main(args: readonly string[]): Promise<number> {
  let choice: Choice;
  try {
    choice = choiceOf(args);
  } catch (error) {
    process.stderr.write(`${messageOf(error)}\n${USAGE}`);
    return 2;
  }
  return run(choice);
}

async function run({ chosen, repeat, jobs, json }: Choice): Promise<number> {
  const began = Date.now();
  const suite = await startSuite(chosen, {
    jobs,
    repeat,
    onResult: ({ name }, result, seconds) => {
      process.stderr.write(`${name} (${seconds.toFixed(0)} s): ${resultText(result)}\n`);
    },
  });
  const rows: Row[] = [];
  for (const recording of chosen) rows.push({ recording, results: (await suite.results.get(recording.name)) ?? [] });
  const left = await suite.close();
  const seconds = (Date.now() - began) / 1000;
  process.stdout.write(`\n${tableText(rows)}`);
  for (const line of left) process.stdout.write(`left on the host: ${line}\n`);
  const { ok, differ, unstable, notYet } = summaryOf(rows);
  process.stdout.write(
    `\n${ok} ok, ${differ} differ (${unstable} unstable), ${notYet} not yet, in ${seconds.toFixed(0)} s\n`,
  );
  if (json !== undefined) writeFileSync(json, reportJson(rows, { seconds, left }));
  return differ > 0 || left.length > 0 ? 1 : 0;
}

function choiceOf(args: readonly string[]): Choice {
  const { values, positionals } = parseArgs({
    args: [...args],
    allowPositionals: true,
    options: {
      repeat: { type: 'string', default: '1' },
      jobs: { type: 'string', default: String(JOBS) },
      json: { type: 'string' },
      dir: { type: 'string' },
    },
  });
  const all = values.dir === undefined ? recordings() : recordings(values.dir);
  const unknown = positionals.filter((name) => !all.some((one) => one.name === name));
  if (unknown.length > 0) throw new RangeError(`no recording ${unknown.join(', ')}`);
  return {
    chosen: positionals.length === 0 ? all : all.filter(({ name }) => positionals.includes(name)),
    repeat: count('--repeat', values.repeat),
    jobs: count('--jobs', values.jobs),
    json: values.json,
  };
}

function count(flag: string, text: string): number {
  if (!/^[1-9]\d{0,3}$/.test(text)) throw new RangeError(`${flag} takes a number from 1 on, not ${text}`);
  return Number(text);
}
