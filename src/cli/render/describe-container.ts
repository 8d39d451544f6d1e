import type { ContainerState, ContainerStatus, Probe, ResourceRequirements } from 'kubernetes-types/core/v1.js';
import type { V1Container, V1Pod } from '../../manifest/pod.ts';
import { describeEnv } from './describe-env.ts';
import { rfc1123 } from './duration.ts';
import type { Lines } from './lines.ts';

/** A container's block in `kubectl describe pod`. */
export function describeContainer(
  lines: Lines,
  spec: V1Container,
  { status, metadata }: { readonly status: ContainerStatus | undefined; readonly metadata: V1Pod['metadata'] },
): void {
  lines.add(1, `${spec.name}:`);
  lines.add(2, 'Container ID:', status?.containerID ?? '');
  lines.add(2, 'Image:', spec.image ?? '');
  lines.add(2, 'Image ID:', status?.imageID ?? '');
  const ports = spec.ports ?? [];
  const several = ports.length > 1 ? 's' : '';
  lines.add(2, `Port${several}:`, ports.map(portText).join(', ') || '<none>');
  lines.add(
    2,
    `Host Port${several}:`,
    ports.map((one) => `${one.hostPort ?? 0}/${one.protocol ?? 'TCP'}`).join(', ') || '<none>',
  );
  describeWords(lines, 'Command:', spec.command);
  describeWords(lines, 'Args:', spec.args);
  describeState(lines, 'State:', status?.state ?? {});
  if (status?.lastState?.terminated !== undefined) describeState(lines, 'Last State:', status.lastState);
  lines.add(2, 'Ready:', status?.ready === true ? 'True' : 'False');
  lines.add(2, 'Restart Count:', String(status?.restartCount ?? 0));
  describeResources(lines, 2, spec.resources);
  describeProbes(lines, spec);
  describeEnv(lines, spec, metadata);
  const mounts = (spec.volumeMounts ?? []).toSorted((a, b) => (a.mountPath < b.mountPath ? -1 : 1));
  if (mounts.length === 0) lines.add(2, 'Mounts:', '<none>');
  else lines.add(2, 'Mounts:');
  for (const mount of mounts) {
    const path = mount.subPath === undefined ? '' : `,path="${mount.subPath}"`;
    lines.add(3, `${mount.mountPath} from ${mount.name} (${mount.readOnly === true ? 'ro' : 'rw'}${path})`);
  }
}

function describeProbes(lines: Lines, { livenessProbe, readinessProbe, startupProbe }: V1Container): void {
  if (livenessProbe !== undefined) lines.add(2, 'Liveness:', probeText(livenessProbe));
  if (readinessProbe !== undefined) lines.add(2, 'Readiness:', probeText(readinessProbe));
  if (startupProbe !== undefined) lines.add(2, 'Startup:', probeText(startupProbe));
}

/** `exec [cat /x] delay=5s timeout=1s period=10s #success=1 #failure=3` (describe.go: DescribeProbe). */
export function probeText(probe: Probe): string {
  const times = [
    `delay=${probe.initialDelaySeconds ?? 0}s timeout=${probe.timeoutSeconds ?? 1}s period=${probe.periodSeconds ?? 10}s`,
    `#success=${probe.successThreshold ?? 1} #failure=${probe.failureThreshold ?? 3}`,
  ].join(' ');
  const { exec, httpGet, tcpSocket, grpc } = probe;
  if (exec !== undefined) return `exec [${(exec.command ?? []).join(' ')}] ${times}`;
  if (httpGet !== undefined) {
    const { scheme = 'HTTP', host = '', port, path = '' } = httpGet;
    const name = host.includes(':') ? `[${host}]` : host;
    return `http-get ${scheme.toLowerCase()}://${name}:${port}${path === '' || path.startsWith('/') ? path : `/${path}`} ${times}`;
  }
  if (tcpSocket !== undefined) return `tcp-socket ${tcpSocket.host ?? ''}:${tcpSocket.port} ${times}`;
  if (grpc !== undefined) return `grpc <pod>:${grpc.port} ${grpc.service ?? ''} ${times}`;
  return `unknown ${times}`;
}

function portText(port: { containerPort: number; protocol?: string; name?: string }): string {
  const name = port.name === undefined ? '' : ` (${port.name})`;
  return `${port.containerPort}/${port.protocol ?? 'TCP'}${name}`;
}

function describeWords(lines: Lines, title: string, words: readonly string[] | undefined): void {
  if (words === undefined || words.length === 0) return;
  lines.add(2, title);
  for (const line of words.flatMap((word) => word.split('\n'))) lines.add(3, line);
}

function describeState(lines: Lines, title: string, { running, waiting, terminated }: ContainerState): void {
  if (running !== undefined) {
    lines.add(2, title, 'Running');
    lines.add(3, 'Started:', rfc1123(running.startedAt));
  } else if (terminated !== undefined) {
    lines.add(2, title, 'Terminated');
    if (terminated.reason !== undefined) lines.add(3, 'Reason:', terminated.reason);
    if (terminated.message !== undefined) lines.add(3, 'Message:', terminated.message);
    lines.add(3, 'Exit Code:', String(terminated.exitCode));
    if ((terminated.signal ?? 0) > 0) lines.add(3, 'Signal:', String(terminated.signal));
    lines.add(3, 'Started:', rfc1123(terminated.startedAt));
    lines.add(3, 'Finished:', rfc1123(terminated.finishedAt));
  } else {
    lines.add(2, title, 'Waiting');
    if (waiting?.reason !== undefined) lines.add(3, 'Reason:', waiting.reason);
  }
}

/** Limits and requests, at that depth. */
export function describeResources(lines: Lines, depth: number, resources: ResourceRequirements = {}): void {
  describeAmounts(lines, [depth, 'Limits:'], resources.limits);
  describeAmounts(lines, [depth, 'Requests:'], resources.requests);
}

function describeAmounts(
  lines: Lines,
  [depth, title]: readonly [number, string],
  amounts: Readonly<Record<string, unknown>> | undefined,
): void {
  const pairs = Object.entries(amounts ?? {}).toSorted(([a], [b]) => (a < b ? -1 : 1));
  if (pairs.length > 0) lines.add(depth, title);
  for (const [name, amount] of pairs) lines.add(depth + 1, `${name}:`, String(amount));
}
