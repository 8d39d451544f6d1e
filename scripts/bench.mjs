// Runs bench/NAME.ts: Node 20 cannot read TypeScript by itself, vite can.
import { fileURLToPath } from 'node:url';
import { runnerImport } from 'vite';

const [name = '', ...args] = process.argv.slice(2);
const program = fileURLToPath(new URL(`../bench/${name}.ts`, import.meta.url));
const { module } = await runnerImport(program, { configFile: false, logLevel: 'error', oxc: { target: 'node20' } });
process.exitCode = await module.main(args);
