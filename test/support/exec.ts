import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import ts from 'typescript';
import type { ExecRequest } from '../../src/container/exec.ts';
import type { ProcessSpec } from '../../src/container/spec.ts';
import { processOps } from '../../src/container/launch.ts';
import { helperPath } from '../../src/helper/locate.ts';
import { type Op, encodePlan } from '../../src/helper/plan.ts';
import type { TestContainer } from './containers.ts';

/** A command for a container, with the container's own environment and user. */
export function execRequest(
  { spec, place }: TestContainer,
  args: readonly string[],
  process: Partial<ProcessSpec> = {},
): ExecRequest {
  const monitor = { socket: place.socket, pod: spec.owner, container: spec.id };
  return { monitor, id: randomBytes(4).toString('hex'), process: { ...spec.process, ...process, args } };
}

/** Arguments for /bin/sh that make it the helper, with the request as its plan: only a shell can open descriptor 3. */
export function clientArgs(dir: string, request: ExecRequest, more: readonly Op[] = []): readonly string[] {
  const { monitor, id, process } = request;
  const plan = encodePlan([
    ['socket', monitor.socket],
    ['pod', monitor.pod],
    ['container', monitor.container],
    ['exec', id, 'client'],
    ...processOps(process),
    ...more,
  ]);
  const path = join(dir, `plan-${id}`);
  writeFileSync(path, plan);
  return ['-c', 'exec "$1" exec 3<"$2"', 'sh', helperPath(), path];
}

/** Leaves of executed commands that the container has now. */
export function leavesOf({ cgroup2 }: TestContainer): readonly string[] {
  return existsSync(cgroup2) ? readdirSync(cgroup2).filter((name) => name.startsWith('exec-')) : [];
}

/** Host pids in the leaf of this request; none when it is gone. */
export function pidsOf({ cgroup2 }: TestContainer, { id }: Pick<ExecRequest, 'id'>): readonly string[] {
  try {
    const text = readFileSync(join(cgroup2, `exec-${id}`, 'cgroup.procs'), 'utf8');
    return text.split('\n').filter((pid) => pid !== '');
  } catch {
    return [];
  }
}

/** State and command line of a process, as `S sleep 1`; empty when it is gone. */
export function commandOf(pid: string): string {
  try {
    const state = /^State:\s+(\S)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1];
    return `${state} ${readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim()}`;
  } catch {
    return '';
  }
}

/**
 * Compiles the sources for programs that run as processes of their own; answers the folder. File by file, without a look
 * at types: the whole compiler takes minutes on an emulated machine.
 */
export function buildInto(dir: string): string {
  const top = fileURLToPath(new URL('../../', import.meta.url));
  const built = join(dir, 'dist');
  const compilerOptions = {
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.ESNext,
    rewriteRelativeImportExtensions: true,
  };
  for (const file of readdirSync(join(top, 'src'), { recursive: true, encoding: 'utf8' })) {
    if (!file.endsWith('.ts')) continue;
    const out = join(built, file.replace(/\.ts$/, '.js'));
    mkdirSync(dirname(out), { recursive: true });
    writeFileSync(
      out,
      ts.transpileModule(readFileSync(join(top, 'src', file), 'utf8'), { compilerOptions }).outputText,
    );
  }
  symlinkSync(join(top, 'node_modules'), join(dir, 'node_modules'));
  writeFileSync(join(dir, 'package.json'), '{"type":"module"}');
  return built;
}
