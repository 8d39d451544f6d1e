/**
 * Counts what vitest's JSON report says: tally.mjs REPORT EXIT_STATUS [OUT] writes `N passed, N failed` to OUT, or to stdout, and exits 1
 * unless something passed and nothing failed. What ended without a result counts as failed: a file that did not load,
 * an error outside of every test, a report that is missing or cut off.
 */
import { readFileSync, writeFileSync } from 'node:fs';

const [reportFile, vitestStatus, out] = process.argv.slice(2);
const mustWork = process.env.MINIRT_MUST_WORK === '1' || Boolean(process.env.CI);

function readReport() {
	try {
		return JSON.parse(readFileSync(reportFile, 'utf8')).testResults;
	} catch (error) {
		console.error(`tests: no report from vitest: ${error.message}`);
		return undefined;
	}
}

const files = readReport();
const tests = (files ?? []).flatMap((file) => file.assertionResults.map((test) => ({ ...test, file: file.name })));
const passed = tests.filter((test) => test.status === 'passed').length;
const skipped = tests.filter((test) => test.status !== 'passed' && test.status !== 'failed');
const unloaded = (files ?? []).filter(
	(file) => file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed'),
);
let failed = tests.filter((test) => test.status === 'failed').length + unloaded.length;

for (const test of skipped) {
	console.error(
		`tests: ${mustWork ? 'skipped, which counts as failed here' : 'skipped'}: ${test.file}: ${test.fullName}`,
	);
}
if (mustWork) failed += skipped.length;
if (failed === 0 && (files === undefined || vitestStatus !== '0')) failed = 1;

const line = `${passed} passed, ${failed} failed\n`;
// Opening /dev/stdout anew would cut off a log file that it leads to.
if (out === undefined || out === '') process.stdout.write(line);
else writeFileSync(out, line);
process.exitCode = failed === 0 && passed > 0 ? 0 : 1;
