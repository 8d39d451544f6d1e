// Runs test/escapes/run.ts: Node 20 cannot read TypeScript by itself, vite can.
import { fileURLToPath } from 'node:url';
import { runnerImport } from 'vite';

const program = fileURLToPath(new URL('../test/escapes/run.ts', import.meta.url));
const { module } = await runnerImport(program, { configFile: false, logLevel: 'error', oxc: { target: 'node20' } });
process.exitCode = module.main(process.argv.slice(2));
