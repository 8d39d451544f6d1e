import type { ContainerStatus, Toleration } from 'kubernetes-types/core/v1.js';
import type { NewerPodSpec } from '../../manifest/newer.ts';
import type { Pod, V1Container, V1Pod } from '../../manifest/pod.ts';
import type { V1Event } from '../../pod/events.ts';
import type { JournalEntry } from '../../pod/journal-entry.ts';
import { layOut } from './columns.ts';
import { describeContainer, describeResources } from './describe-container.ts';
import { describeHooks, describeProbeFailures } from './describe-hooks.ts';
import { describeVolumes } from './describe-volume.ts';
import { humanDuration, rfc1123 } from './duration.ts';
import { eventAge } from './event-row.ts';
import { Lines } from './lines.ts';

export interface Described {
  readonly object: V1Pod;
  readonly pod: Pick<Pod, 'containers'>;
  readonly events: readonly V1Event[];
  readonly journal: readonly JournalEntry[];
}

/** `kubectl describe pod` (kubectl pkg/describe/describe.go: PodDescriber), and beside it how the hooks went. */
export function describePod({ object, pod, events, journal }: Described, now: Date): string {
  const lines = new Lines();
  describeHead(lines, object, now);
  const { containers = [], initContainers = [] } = object.spec ?? {};
  const { containerStatuses = [], initContainerStatuses = [] } = object.status ?? {};
  const section = (title: string, specs: readonly V1Container[], statuses: readonly ContainerStatus[]): void => {
    if (specs.length === 0) return;
    lines.add(0, `${title}:`);
    for (const spec of specs) {
      const status = statuses.find((one) => one.name === spec.name);
      describeContainer(lines, spec, { status, metadata: object.metadata });
      const handlers = pod.containers.find((one) => one.name === spec.name);
      if (handlers !== undefined) describeHooks(lines, handlers, journal, now);
      describeProbeFailures(lines, spec.name, journal, now);
    }
  };
  section('Init Containers', initContainers, initContainerStatuses);
  section('Containers', containers, containerStatuses);
  describeGates(lines, object);
  lines.add(0, 'Conditions:');
  lines.add(1, 'Type', 'Status');
  for (const { type, status } of object.status?.conditions ?? []) lines.add(1, `${type} `, `${status} `);
  describeTail(lines, object);
  describeEvents(lines, events, now);
  return layOut(lines.all);
}

function describeHead(lines: Lines, object: V1Pod, now: Date): void {
  const { metadata = {}, spec, status = {} } = object;
  lines.add(0, 'Name:', metadata.name ?? '');
  lines.add(0, 'Namespace:', metadata.namespace ?? '');
  lines.add(0, 'Priority:', String(spec?.priority ?? 0));
  if (spec?.priorityClassName !== undefined) lines.add(0, 'Priority Class Name:', spec.priorityClassName);
  if (spec?.runtimeClassName !== undefined) lines.add(0, 'Runtime Class Name:', spec.runtimeClassName);
  if (spec?.serviceAccountName !== undefined) lines.add(0, 'Service Account:', spec.serviceAccountName);
  const host = status.hostIP === undefined ? '' : `/${status.hostIP}`;
  lines.add(0, 'Node:', spec?.nodeName === undefined ? '<none>' : `${spec.nodeName}${host}`);
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
  const seccomp = spec?.securityContext?.seccompProfile;
  if (seccomp !== undefined) lines.add(0, 'SeccompProfile:', seccomp.type);
  lines.add(0, 'IP:', status.podIP ?? '');
  if (status.podIPs === undefined) lines.add(0, 'IPs:', '<none>');
  else lines.add(0, 'IPs:');
  for (const { ip } of status.podIPs ?? []) lines.add(1, 'IP:', ip ?? '');
  const { resources }: Partial<NewerPodSpec> = spec ?? {};
  if (resources === undefined) return;
  lines.add(0, 'Resources:');
  describeResources(lines, 1, resources);
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

function describeGates(lines: Lines, { spec, status }: V1Pod): void {
  const gates = spec?.readinessGates ?? [];
  if (gates.length === 0) return;
  lines.add(0, 'Readiness Gates:');
  lines.add(1, 'Type', 'Status');
  for (const { conditionType } of gates) {
    const condition = status?.conditions?.find(({ type }) => type === conditionType);
    lines.add(1, `${conditionType} `, `${condition?.status ?? '<none>'} `);
  }
}

function describeTail(lines: Lines, { spec, status }: V1Pod): void {
  describeVolumes(lines, spec?.volumes ?? []);
  lines.add(0, 'QoS Class:', status?.qosClass ?? '');
  describeMap(lines, 'Node-Selectors:', spec?.nodeSelector, '=');
  const tolerations = (spec?.tolerations ?? []).map(tolerationText);
  for (const [i, text] of (tolerations.length === 0 ? ['<none>'] : tolerations).entries()) {
    lines.add(0, i === 0 ? 'Tolerations:' : '', text);
  }
}

function tolerationText({ key = '', value = '', effect = '', operator, tolerationSeconds }: Toleration): string {
  const what = `${key}${value === '' ? '' : `=${value}`}${effect === '' ? '' : `:${effect}`}`;
  const exists = operator === 'Exists' && value === '' ? ['op=Exists'] : [];
  const time = tolerationSeconds === undefined ? [] : [`for ${tolerationSeconds}s`];
  return [...(what === '' ? [] : [what]), ...exists, ...time].join(' ');
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
