/** Kubernetes' rules for hooks, probes, restart rules and stop signals (pkg/apis/core/validation). */
import type { HTTPGetAction, LifecycleHandler, Probe, TCPSocketAction } from 'kubernetes-types/core/v1.js';
import * as names from './names.ts';
import type { NewerVolume } from './newer.ts';
import type { Path } from './node.ts';
import type { Role, V1Container } from './pod.ts';
import { type Report, complain } from './problem.ts';

/** In the order in which Kubernetes looks. */
const HOOK_HANDLERS = ['exec', 'httpGet', 'tcpSocket', 'sleep'] as const;
const PROBE_HANDLERS = ['exec', 'httpGet', 'tcpSocket', 'grpc'] as const;
const PROBES = ['livenessProbe', 'readinessProbe', 'startupProbe'] as const;
const MOST_RULES = 20;
const MOST_EXIT_CODES = 255;

/** What a container's rules depend on outside of it. */
export interface Around {
  readonly role: Role;
  /** Seconds. */
  readonly grace: number;
  readonly os: string;
  readonly volumes: readonly Partial<NewerVolume>[];
  /** Whether the pod has a user namespace. */
  readonly ownUsers: boolean;
}

/** Fields that `kubernetes-types` does not have yet. */
interface Newer {
  readonly restartPolicyRules?: readonly {
    readonly action?: string;
    readonly exitCodes?: { readonly operator?: string; readonly values?: readonly number[] };
  }[];
  readonly lifecycle?: { readonly stopSignal?: string };
}

export function validateLifecycle(container: Partial<V1Container>, around: Around, path: Path, report: Report): void {
  const newer = container as Partial<V1Container> & Newer;
  const { lifecycle } = container;
  if (around.role === 'init') {
    const only = 'may not be set for init containers without restartPolicy=Always';
    if (lifecycle !== undefined) report.problem([...path, 'lifecycle'], `Forbidden: ${only}`);
    for (const name of PROBES) {
      if (container[name] !== undefined) report.problem([...path, name], `Forbidden: ${only}`);
    }
  } else {
    for (const hook of ['postStart', 'preStop'] as const) {
      const handler = lifecycle?.[hook];
      if (handler !== undefined) validateHook(handler, around, [...path, 'lifecycle', hook], report);
    }
    const { stopSignal } = newer.lifecycle ?? {};
    if (stopSignal !== undefined) validateStopSignal(stopSignal, around, [...path, 'lifecycle', 'stopSignal'], report);
    for (const name of PROBES) {
      const probe = container[name];
      if (probe !== undefined) validateProbe(probe, name, [...path, name], report);
    }
  }
  validateRules(newer, path, report);
}

function validateHook(handler: LifecycleHandler, { grace }: Around, path: Path, report: Report): void {
  oneOf(handler, HOOK_HANDLERS, path, report);
  validateActions(handler, path, report);
  const { sleep } = handler;
  if (sleep === undefined) return;
  const { seconds = 0 } = sleep as { seconds?: number };
  if (seconds < 0 || seconds > grace) {
    const limit = `must be non-negative and less than terminationGracePeriodSeconds (${grace})`;
    complain(report, [...path, 'sleep'], seconds, [limit]);
  }
}

function validateProbe(probe: Probe, name: (typeof PROBES)[number], path: Path, report: Report): void {
  oneOf(probe, PROBE_HANDLERS, path, report);
  validateActions(probe, path, report);
  if (probe.grpc !== undefined)
    validatePortNumber((probe.grpc as { port?: number }).port, [...path, 'grpc', 'port'], report);
  for (const field of [
    'initialDelaySeconds',
    'timeoutSeconds',
    'periodSeconds',
    'successThreshold',
    'failureThreshold',
  ] as const) {
    const value = probe[field] ?? 0;
    if (value < 0) complain(report, [...path, field], value, ['must be greater than or equal to 0']);
  }
  const { successThreshold = 1, terminationGracePeriodSeconds: grace } = probe;
  if (name !== 'readinessProbe' && successThreshold > 1) {
    complain(report, [...path, 'successThreshold'], successThreshold, ['must be 1']);
  }
  const graceAt = [...path, 'terminationGracePeriodSeconds'];
  if (grace === undefined) return;
  if (name === 'readinessProbe') complain(report, graceAt, grace, ['must not be set for readinessProbes']);
  else if (grace <= 0) complain(report, graceAt, grace, ['must be greater than 0']);
}

function oneOf<Kind extends string>(
  handler: { readonly [kind in Kind]?: unknown },
  kinds: readonly Kind[],
  path: Path,
  report: Report,
): void {
  const [first, ...others] = kinds.filter((kind) => handler[kind] !== undefined);
  if (first === undefined) report.problem(path, 'Required value: must specify a handler type');
  for (const kind of others) report.problem([...path, kind], 'Forbidden: may not specify more than 1 handler type');
}

function validateActions(
  handler: Pick<LifecycleHandler, 'exec' | 'httpGet' | 'tcpSocket'>,
  path: Path,
  report: Report,
): void {
  const { exec, httpGet, tcpSocket } = handler;
  if (exec !== undefined && (exec.command ?? []).length === 0) {
    report.problem([...path, 'exec', 'command'], 'Required value');
  }
  if (httpGet !== undefined) validateHttpGet(httpGet, [...path, 'httpGet'], report);
  if (tcpSocket !== undefined)
    validatePort((tcpSocket as Partial<TCPSocketAction>).port, [...path, 'tcpSocket', 'port'], report);
}

function validateHttpGet(get: Partial<HTTPGetAction>, path: Path, report: Report): void {
  validatePort(get.port, [...path, 'port'], report);
  (get.httpHeaders ?? []).forEach(({ name = '' }: { name?: string }, i) => {
    complain(report, [...path, 'httpHeaders', i, 'name'], name, names.headerNameComplaints(name));
  });
}

/** A number, or a name; that the name is one of the container's is found out when it is used, as in Kubernetes. */
function validatePort(port: number | string | undefined, path: Path, report: Report): void {
  if (typeof port !== 'string') return validatePortNumber(port, path, report);
  complain(report, path, port, names.portNameComplaints(port));
}

function validatePortNumber(port: number | undefined, path: Path, report: Report): void {
  if (port === undefined) report.problem(path, 'Required value');
  else if (port < 1 || port > 65535) complain(report, path, port, ['must be between 1 and 65535, inclusive']);
}

function validateStopSignal(signal: string, { os }: Around, path: Path, report: Report): void {
  if (os === '') {
    complain(report, path, signal, ['may not be set for containers with empty `spec.os.name`']);
  } else if (!STOP_SIGNALS.has(signal)) {
    const list = [...STOP_SIGNALS].sort().map((name) => JSON.stringify(name));
    report.problem(path, `Unsupported value: ${JSON.stringify(signal)}: supported values: ${list.join(', ')}`);
  }
}

const STOP_SIGNALS: ReadonlySet<string> = new Set([
  ...(
    'ABRT ALRM BUS CHLD CLD CONT FPE HUP ILL INT IO IOT KILL PIPE POLL PROF PWR QUIT SEGV STKFLT STOP SYS TERM TRAP ' +
    'TSTP TTIN TTOU URG USR1 USR2 VTALRM WINCH XCPU XFSZ RTMIN RTMAX'
  )
    .split(' ')
    .map((name) => `SIG${name}`),
  ...Array.from({ length: 15 }, (_, n) => `SIGRTMIN+${n + 1}`),
  ...Array.from({ length: 14 }, (_, n) => `SIGRTMAX-${n + 1}`),
]);

function validateRules(
  { restartPolicy, restartPolicyRules = [] }: Partial<V1Container> & Newer,
  path: Path,
  report: Report,
): void {
  const at = [...path, 'restartPolicyRules'];
  if (restartPolicyRules.length === 0) return;
  if (restartPolicy === undefined) {
    report.problem(
      [...path, 'restartPolicy'],
      'Required value: must specify restartPolicy when restart rules are used',
    );
  }
  if (restartPolicyRules.length > MOST_RULES) {
    report.problem(at, `Too long: must have at most ${MOST_RULES} items`);
  }
  restartPolicyRules.forEach(({ action, exitCodes }, i) => {
    if (action === undefined) report.problem([...at, i, 'action'], 'Required value');
    if (exitCodes === undefined) report.problem([...at, i, 'exitCodes'], 'Required value');
    else if (exitCodes.operator === undefined) report.problem([...at, i, 'exitCodes', 'operator'], 'Required value');
    if ((exitCodes?.values ?? []).length > MOST_EXIT_CODES) {
      report.problem([...at, i, 'exitCodes', 'values'], `Too long: must have at most ${MOST_EXIT_CODES} items`);
    }
  });
}
