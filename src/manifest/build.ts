import type { LifecycleHandler } from 'kubernetes-types/core/v1.js';
import { DEFAULTED_POLICY, defaultPullPolicy } from './defaults.ts';
import type { Container, Handler, Pod, PullPolicy, RestartPolicy, V1Container, V1Pod } from './pod.ts';

/** The internal Pod of a checked and defaulted object: every choice made, every one-of a tag. */
export function buildPod(object: V1Pod): Pod {
  const { metadata = {}, spec } = object;
  const { [DEFAULTED_POLICY]: defaulted = '', ...annotations } = metadata.annotations ?? {};
  const unwritten = new Set(defaulted.split(','));
  const name = metadata.name ?? '';
  return {
    name,
    namespace: metadata.namespace ?? 'default',
    labels: metadata.labels ?? {},
    annotations,
    hostname: spec?.hostname === undefined || spec.hostname === '' ? defaultHostname(name) : spec.hostname,
    restartPolicy: (spec?.restartPolicy ?? 'Always') as RestartPolicy,
    terminationGracePeriodSeconds: spec?.terminationGracePeriodSeconds ?? 30,
    containers: (spec?.containers ?? []).map((container) => buildContainer(container, unwritten)),
    object,
  };
}

/** The name, cut to what a hostname may be (kubelet truncatePodHostnameIfNeeded). */
function defaultHostname(name: string): string {
  return name.length > 63 ? name.slice(0, 63).replace(/[-.]+$/, '') : name;
}

function buildContainer(container: V1Container, unwritten: ReadonlySet<string>): Container {
  const image = container.image ?? '';
  const imagePullPolicy = (container.imagePullPolicy ?? defaultPullPolicy(image)) as PullPolicy;
  return {
    name: container.name,
    image,
    imagePullPolicy,
    imagePullPolicyWritten: !(imagePullPolicy === 'Always' && unwritten.has(container.name)),
    command: container.command ?? [],
    args: container.args ?? [],
    env: (container.env ?? []).map(({ name, value = '' }) => ({ name, value })),
    workingDir: (container.workingDir ?? '') === '' ? undefined : container.workingDir,
    stdin: container.stdin ?? false,
    stdinOnce: container.stdinOnce ?? false,
    tty: container.tty ?? false,
    terminationMessagePath: container.terminationMessagePath ?? '/dev/termination-log',
    postStart: buildHandler(container.lifecycle?.postStart),
    preStop: buildHandler(container.lifecycle?.preStop),
  };
}

function buildHandler(handler: LifecycleHandler | undefined): Handler | undefined {
  if (handler?.exec === undefined) return undefined;
  return { kind: 'exec', command: handler.exec.command ?? [] };
}
