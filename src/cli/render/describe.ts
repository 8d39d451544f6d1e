import type { ContainerState, ContainerStatus } from 'kubernetes-types/core/v1.js';
import type { V1Container, V1Pod } from '../../manifest/pod.ts';
import type { V1Event } from '../../pod/events.ts';
import type { JournalEntry } from '../../pod/journal-entry.ts';
import { DESCRIPTION, layOut } from './columns.ts';
import { describeHooks } from './describe-hooks.ts';
import { humanDuration } from './duration.ts';
import { eventAge } from './event-row.ts';
import { Lines } from './lines.ts';

export interface Described {
  readonly object: V1Pod;
  readonly events: readonly V1Event[];
  readonly journal: readonly JournalEntry[];
}

/** `kubectl describe pod` (kubectl pkg/describe/describe.go: PodDescriber), and beside it how the hooks went. */
export function describePod({ object, events, journal }: Described, now: Date): string {
  const lines = new Lines();
  describeHead(lines, object, now);
  const { containers = [], initContainers = [] } = object.spec ?? {};
  const { containerStatuses = [], initContainerStatuses = [] } = object.status ?? {};
  const section = (title: string, specs: readonly V1Container[], statuses: readonly ContainerStatus[]): void => {
    if (specs.length === 0) return;
    lines.add(0, `${title}:`);
    for (const spec of specs) {
      describeContainer(
        lines,
        spec,
        statuses.find((one) => one.name === spec.name),
      );
      describeHooks(lines, spec, journal, now);
    }
  };
  section('Init Containers', initContainers, initContainerStatuses);
  section('Containers', containers, containerStatuses);
  lines.add(0, 'Conditions:');
  lines.add(1, 'Type', 'Status');
  for (const { type, status } of object.status?.conditions ?? []) lines.add(1, `${type} `, `${status} `);
  describeTail(lines, object);
  describeEvents(lines, events, now);
  return layOut(lines.all, DESCRIPTION);
}

function describeHead(lines: Lines, object: V1Pod, now: Date): void {
  const { metadata = {}, spec, status = {} } = object;
  lines.add(0, 'Name:', metadata.name ?? '');
  lines.add(0, 'Namespace:', metadata.namespace ?? '');
  lines.add(0, 'Priority:', String(spec?.priority ?? 0));
  lines.add(0, 'Node:', spec?.nodeName ?? '<none>');
  if (status.startTime !== undefined) lines.add(0, 'Start Time:', rfc1123(status.startTime));
  describeMap(lines, 'Labels:', metadata.labels, '=');
  describeMap(lines, 'Annotations:', metadata.annotations, ': ');
  const over = status.phase === 'Succeeded' || status.phase === 'Failed';
  if (metadata.deletionTimestamp !== undefined && !over) {
    const grace = metadata.deletionGracePeriodSeconds ?? 0;
    const lasts = humanDuration(now.getTime() - Date.parse(metadata.deletionTimestamp) + grace * 1000);
    lines.add(0, 'Status:', `Terminating (lasts ${lasts})`);
    lines.add(0, 'Termination Grace Period:', `${grace}s`);
  } else lines.add(0, 'Status:', status.phase ?? '');
  if (status.reason !== undefined) lines.add(0, 'Reason:', status.reason);
  if (status.message !== undefined) lines.add(0, 'Message:', status.message);
  lines.add(0, 'IP:', status.podIP ?? '');
  if (status.podIPs === undefined) return lines.add(0, 'IPs:', '<none>');
  lines.add(0, 'IPs:');
  for (const { ip } of status.podIPs) lines.add(1, 'IP:', ip ?? '');
}

function describeMap(
  lines: Lines,
  title: string,
  map: Readonly<Record<string, string>> | undefined,
  between: string,
): void {
  const pairs = Object.entries(map ?? {}).toSorted(([a], [b]) => (a < b ? -1 : 1));
  if (pairs.length === 0) lines.add(0, title, '<none>');
  for (const [i, [key, value]] of pairs.entries()) lines.add(0, i === 0 ? title : '', `${key}${between}${value}`);
}

function describeContainer(lines: Lines, spec: V1Container, status: ContainerStatus | undefined): void {
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
  describeAmounts(lines, 'Limits:', spec.resources?.limits);
  describeAmounts(lines, 'Requests:', spec.resources?.requests);
  const env = spec.env ?? [];
  if (env.length === 0) lines.add(2, 'Environment:', '<none>');
  else lines.add(2, 'Environment:');
  for (const { name, value = '' } of env) lines.add(3, `${name}:`, value);
  const mounts = (spec.volumeMounts ?? []).toSorted((a, b) => (a.mountPath < b.mountPath ? -1 : 1));
  if (mounts.length === 0) lines.add(2, 'Mounts:', '<none>');
  else lines.add(2, 'Mounts:');
  for (const mount of mounts) {
    const path = mount.subPath === undefined ? '' : `,path="${mount.subPath}"`;
    lines.add(3, `${mount.mountPath} from ${mount.name} (${mount.readOnly === true ? 'ro' : 'rw'}${path})`);
  }
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
    lines.add(3, 'Started:', rfc1123(terminated.startedAt));
    lines.add(3, 'Finished:', rfc1123(terminated.finishedAt));
  } else {
    lines.add(2, title, 'Waiting');
    if (waiting?.reason !== undefined) lines.add(3, 'Reason:', waiting.reason);
  }
}

function describeAmounts(lines: Lines, title: string, amounts: Readonly<Record<string, unknown>> | undefined): void {
  const pairs = Object.entries(amounts ?? {}).toSorted(([a], [b]) => (a < b ? -1 : 1));
  if (pairs.length > 0) lines.add(2, title);
  for (const [name, amount] of pairs) lines.add(3, `${name}:`, String(amount));
}

function describeTail(lines: Lines, { spec, status }: V1Pod): void {
  const volumes = spec?.volumes ?? [];
  if (volumes.length === 0) lines.add(0, 'Volumes:', '<none>');
  else lines.add(0, 'Volumes:');
  for (const { name, ...source } of volumes) {
    lines.add(1, `${name}:`);
    lines.add(2, 'Type:', Object.keys(source)[0] ?? 'emptyDir');
  }
  lines.add(0, 'QoS Class:', status?.qosClass ?? '');
  describeMap(lines, 'Node-Selectors:', spec?.nodeSelector, '=');
  lines.add(0, 'Tolerations:', '<none>');
}

function describeEvents(lines: Lines, events: readonly V1Event[], now: Date): void {
  if (events.length === 0) return lines.add(0, 'Events:', '<none>');
  lines.add(0, 'Events:');
  lines.add(1, 'Type', 'Reason', 'Age', 'From', 'Message');
  lines.add(1, '----', '------', '----', '----', '-------');
  for (const event of events) {
    const from = event.source?.component ?? '';
    lines.add(1, event.type ?? '', event.reason ?? '', eventAge(event, now), from, (event.message ?? '').trim());
  }
}

/** Go's time.RFC1123Z in UTC. */
function rfc1123(iso: string | undefined): string {
  if (iso === undefined) return '';
  return new Date(iso).toUTCString().replace('GMT', '+0000');
}
