import { readFile } from 'node:fs/promises';
import { randomBytes } from 'node:crypto';
import { MinirtError } from '../base/errors.ts';
import { execInteractive } from '../container/exec.ts';
import type { Credentials, ProcessSpec } from '../container/spec.ts';
import { resolveUser } from '../container/users.ts';
import { peekContainer } from '../helper/peek.ts';
import { type Roots, containerPaths } from '../state/paths.ts';
import type { PodView } from './view.ts';

/** A passwd or group file over this size is refused: the container wrote it. */
const ACCOUNTS_LIMIT = 1 << 20;

export interface ExecInPod {
  /** undefined: the annotation's default container, else the first main one. */
  readonly container?: string;
  readonly command: readonly string[];
  readonly stdin: boolean;
  readonly tty: boolean;
  readonly user?: string;
  readonly cwd?: string;
  /** `K=V`, beside the container's own. */
  readonly env: readonly string[];
}

/** Runs a command in a running container on this process's stdio; the command's exit status. */
export async function execInPod(roots: Roots, view: PodView, request: ExecInPod): Promise<number> {
  return execInteractive(await execRequest(roots, view, request));
}

/** The container that exec, logs and attach mean when none is named (kubectl pkg/cmd/util/podcmd). */
export function defaultContainer({ pod }: PodView): { readonly name: string; readonly annotated: boolean } {
  const annotation = pod.annotations['kubectl.kubernetes.io/default-container'];
  const named = pod.containers.find(({ name }) => name === annotation);
  if (named !== undefined) return { name: named.name, annotated: true };
  return { name: pod.containers.find(({ role }) => role === 'main')?.name ?? '', annotated: false };
}

/** The containers there are, as kubectl lists them: `a, b, c (init)`. */
export function containerList({ pod }: PodView): string {
  const mains = pod.containers.filter(({ role }) => role === 'main').map(({ name }) => name);
  const inits = pod.containers.filter(({ role }) => role !== 'main').map(({ name }) => `${name} (init)`);
  return [...mains, ...inits].join(', ');
}

export function unknownContainer(view: PodView, name: string): MinirtError {
  return new MinirtError(
    'container.not-found',
    `container ${name} is not valid for pod ${view.name} out of: ${containerList(view)}`,
  );
}

/** Throws pod.not-running in kubectl's words for a pod that is over. */
export function refuseCompleted({ object }: PodView): void {
  const phase = object.status?.phase;
  if (phase !== 'Succeeded' && phase !== 'Failed') return;
  throw new MinirtError(
    'pod.not-running',
    `cannot exec into a container in a completed pod; current phase is ${phase}`,
  );
}

async function execRequest(
  roots: Roots,
  view: PodView,
  request: ExecInPod,
): Promise<Parameters<typeof execInteractive>[0]> {
  refuseCompleted(view);
  const name = request.container ?? defaultContainer(view).name;
  const record = view.record.containers.find((one) => one.name === name);
  if (record === undefined) throw unknownContainer(view, name);
  const { state } = record;
  if (state.phase === 'waiting' || state.phase === 'exited' || state.phase === 'creating') {
    throw new MinirtError('pod.not-running', `unable to upgrade connection: container not found ("${name}")`, {
      hint: `it is ${state.phase === 'exited' ? 'not running any more' : 'not running yet'}: see \`minirt get pod ${view.name}\``,
    });
  }
  const paths = containerPaths(roots, view.uid, state.id);
  const monitor = { socket: paths.socket, pod: view.uid, container: state.id };
  const own = JSON.parse(await readFile(paths.process, 'utf8')) as ProcessSpec;
  const user = request.user === undefined ? own.user : await userOf(monitor, request.user);
  return { monitor, id: randomBytes(6).toString('hex'), process: processFor(own, request, user) };
}

function processFor(own: ProcessSpec, request: ExecInPod, user: Credentials): ProcessSpec {
  const env = new Map(own.env.map((pair) => [pair.slice(0, pair.indexOf('=')), pair]));
  if (request.tty) env.set('TERM', 'TERM=xterm');
  if (request.user !== undefined) env.set('HOME', `HOME=${user.home}`);
  for (const pair of request.env) env.set(pair.slice(0, pair.indexOf('=')), pair);
  return {
    ...own,
    args: request.command,
    env: [...env.values()],
    cwd: request.cwd ?? own.cwd,
    user,
    terminal: request.tty,
    stdin: request.stdin,
  };
}

async function userOf(monitor: { socket: string; pod: string; container: string }, user: string): Promise<Credentials> {
  const files = ['/etc/passwd', '/etc/group'].map((path) => ({ path, limit: ACCOUNTS_LIMIT }));
  const accounts = await peekContainer(monitor, files, new AbortController().signal);
  const text = (path: string): string => accounts.get(path)?.toString('utf8') ?? '';
  return resolveUser(user, text('/etc/passwd'), text('/etc/group'));
}
