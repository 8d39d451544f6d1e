import { readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { snapshot } from '../../src/doctor/snapshot.ts';
import type { V1Pod } from '../../src/manifest/pod.ts';
import { eventually, type Result } from '../support/cli.ts';
import { Victim } from '../support/crash.ts';
import { leftSince } from '../support/leaks.ts';

const folder = fileURLToPath(new URL('../manifests/', import.meta.url));
const LIMIT_MS = 40_000;

/** What one of the manifests has to come to. */
interface Story {
  /** Of the pod; the file's name when it is not given. */
  readonly pod?: string;
  readonly phase: 'Running' | 'Succeeded' | 'Failed';
  /** What each container has printed by then, to the byte. */
  readonly logs?: Readonly<Record<string, string>>;
  /** The exit code of each container that has ended. */
  readonly exits?: Readonly<Record<string, number>>;
  /** Restarts of each container that has any, at the least. */
  readonly restarts?: Readonly<Record<string, number>>;
  readonly messages?: Readonly<Record<string, string>>;
  readonly ready?: boolean;
  /** Reasons of events that have come, whatever else has. */
  readonly events?: readonly string[];
  /** What is said on stderr when it is applied. */
  readonly notice?: string;
  /** A command in it, and what that prints. */
  readonly exec?: readonly [line: string, output: string];
  /** What is left of it: a line of `delete`, and what its log ended with. */
  readonly delete?: { readonly line: RegExp; readonly log?: string };
}

const stories: Readonly<Record<string, Story>> = {
  'env-literals': { phase: 'Succeeded', logs: { envar: 'Hello from the environment / Such a sweet sorrow\n' } },
  'env-dependent': {
    phase: 'Succeeded',
    logs: { c: '$(PROTOCOL)://$(HOST)\nhttps://172.17.0.1\n$(PROTOCOL)\n' },
  },
  'command-arguments': { phase: 'Succeeded', logs: { c: 'hello world|$(MESSAGE)|second|' }, exits: { c: 0 } },
  'env-fields': { phase: 'Succeeded', logs: { c: 'env-fields default front two robot\naddress\n' } },
  'env-file': { phase: 'Succeeded', logs: { c: 'address $(ABSENT)\n' }, exits: { setup: 0, c: 0 } },
  'configmap-keys': { phase: 'Succeeded', logs: { c: 'very INFO\n' } },
  'configmap-whole': { phase: 'Succeeded', logs: { c: 'SPECIAL_LEVEL=very\nSPECIAL_TYPE=charm\n' } },
  'secret-variables': { phase: 'Succeeded', logs: { c: 'admin\nadmin 39528$vdg7Jb\n' } },
  'init-container': {
    phase: 'Running',
    ready: true,
    exits: { install: 0 },
    exec: ['wget -qO- localhost', '<html>installed</html>\n'],
  },
  'liveness-exec': { phase: 'Running', restarts: { liveness: 1 }, events: ['Unhealthy', 'Killing'] },
  'liveness-http': { phase: 'Running', restarts: { liveness: 1 }, events: ['Unhealthy', 'Killing'] },
  'readiness-tcp': { phase: 'Running', ready: true, events: ['Unhealthy'] },
  'startup-probe': { phase: 'Running', ready: true, events: ['Unhealthy'] },
  'termination-message': {
    phase: 'Failed',
    exits: { custom: 3, fallback: 4 },
    messages: { custom: 'Sleep expired\n', fallback: 'all is lost\n' },
  },
  'shared-volume': { phase: 'Succeeded', logs: { reader: 'Hello from the writer\n' } },
  'volume-survives': { phase: 'Running', restarts: { store: 1 }, logs: { store: 'kept\n' } },
  job: {
    phase: 'Succeeded',
    logs: { pi: '3.14159\n' },
    restarts: { pi: 1 },
    notice: 'Job/job: runs as one pod, pod/job',
  },
  sidecar: {
    phase: 'Succeeded',
    logs: { logshipper: 'logging 1\nlogging 2\nlogging 3\n' },
    exits: { app: 0, logshipper: 0 },
  },
  'lifecycle-handlers': {
    phase: 'Running',
    exec: ['cat /tmp/message', 'Hello from the postStart handler\n'],
    delete: {
      line: /^c: preStop exec exit 0 in \d\.\d s; SIGTERM, exited 0 /m,
      log: 'draining\nHello from the postStart handler\n',
    },
  },
  'graceful-shutdown': {
    phase: 'Running',
    delete: {
      line: /^web: preStop sleep ok in 2\.\d s; SIGTERM, exited 0 with 1[78]\.\d s of grace left$/m,
      log: 'got TERM\n',
    },
  },
  'hostname-and-ports': { phase: 'Succeeded', logs: { client: 'over localhost\nbusy-host\n' } },
  'crash-loop': { phase: 'Running', restarts: { broken: 1 }, ready: false, events: ['BackOff'] },
  'live-cluster-pod': {
    pod: 'shop-7c9d9c6f5b-x2k8q',
    phase: 'Running',
    ready: true,
    notice: 'an empty folder stands for it: there is no API server to issue a token',
    delete: { line: /^shop: preStop sleep ok in 1\.\d s; SIGTERM, exited 0 / },
  },
};

const victim = new Victim();
const before = await snapshot(victim.roots);
const applied = new Map<string, Promise<Result>>();

describe('what the tasks of the documentation teach', () => {
  beforeAll(async () => {
    await victim.load('busybox');
    for (const name of Object.keys(stories)) applied.set(name, victim.run('apply', '-f', `${folder}${name}.yaml`));
    await Promise.all(applied.values());
  });

  afterAll(async () => {
    await victim.clear();
    for (const kind of ['configmaps', 'secrets']) await victim.run('delete', kind, '--all');
    expect(await leftSince(before, victim.roots)).toEqual([]);
    await victim.remove();
  });

  test('has a story for each manifest', () => {
    const names = readdirSync(folder).map((file) => file.replace(/\.yaml$/, ''));
    expect(Object.keys(stories).toSorted()).toEqual(names.toSorted());
  });

  test.each(Object.entries(stories))('%s', async (name, story) => {
    const { pod = name } = story;
    const call = await applied.get(name);
    expect(call).toMatchObject({ code: 0, stdout: expect.stringContaining(`pod/${pod} created`) as string });
    if (story.notice !== undefined) expect(call?.stderr).toContain(story.notice);
    await eventually(async () => {
      expect(await seen(pod, story)).toEqual(wanted(story));
    }, LIMIT_MS);
    if (story.exec !== undefined) {
      const [line, output] = story.exec;
      expect(await victim.run('exec', pod, '--', '/bin/sh', '-c', line)).toMatchObject({ code: 0, stdout: output });
    }
    if (story.delete !== undefined) {
      const { code, stderr } = await victim.run('delete', 'pod', pod);
      expect({ code, stderr }).toMatchObject({ code: 0, stderr: expect.stringMatching(story.delete.line) as string });
      const log = await victim.run('logs', pod, '--deleted');
      if (story.delete.log !== undefined) expect(log.stdout).toContain(story.delete.log);
    }
  });
});

/** What of a pod its story tells, in the story's words. */
async function seen(pod: string, story: Story): Promise<object> {
  const { status = {} } = JSON.parse((await victim.run('get', 'pod', pod, '-o', 'json')).stdout) as V1Pod;
  const containers = [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? [])];
  const ended = (name: string) => {
    const { state, lastState } = containers.find((one) => one.name === name) ?? {};
    return state?.terminated ?? lastState?.terminated;
  };
  const restarts = (name: string): number => containers.find((one) => one.name === name)?.restartCount ?? 0;
  const names = (of: object | undefined): readonly string[] => Object.keys(of ?? {});
  const logs = await Promise.all(
    names(story.logs).map(async (name) => [name, (await victim.run('logs', pod, '-c', name)).stdout]),
  );
  const told = story.events === undefined ? '' : (await victim.run('events', pod)).stdout;
  return {
    phase: status.phase,
    logs: Object.fromEntries(logs) as object,
    exits: Object.fromEntries(names(story.exits).map((name) => [name, ended(name)?.exitCode])),
    restarts: Object.fromEntries(
      names(story.restarts).map((name) => [name, restarts(name) >= (story.restarts?.[name] ?? 0)]),
    ),
    messages: Object.fromEntries(names(story.messages).map((name) => [name, ended(name)?.message])),
    ready:
      story.ready === undefined
        ? undefined
        : status.conditions?.find(({ type }) => type === 'Ready')?.status === 'True',
    events: (story.events ?? []).filter((reason) => told.includes(` ${reason} `)),
  };
}

function wanted({ phase, logs = {}, exits = {}, restarts = {}, messages = {}, ready, events = [] }: Story): object {
  const again = Object.fromEntries(Object.keys(restarts).map((name) => [name, true]));
  return { phase, logs, exits, restarts: again, messages, ready, events };
}
