import { existsSync, mkdtempSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { PodStatus } from 'kubernetes-types/core/v1.js';
import { afterAll, beforeAll, expect } from 'vitest';
import { silentLogger } from '../../src/base/log.ts';
import { openImageStore } from '../../src/image/store.ts';
import { podFromObject } from '../../src/manifest/parse.ts';
import { buildClaim, buildConfigMap, buildSecret } from '../../src/manifest/objects.ts';
import { ObjectStore } from '../../src/objects/store.ts';
import { podStatus } from '../../src/pod/status.ts';
import { type PodView, viewPod } from '../../src/pod/view.ts';
import { type Roots, containerPaths, podLogs } from '../../src/state/paths.ts';
import { type OwnedPod, type PodHost, openHost } from '../../src/supervisor/host.ts';
import { registerPod, removePod } from '../../src/supervisor/registry.ts';
import { type TestEntry, loadBusybox, loadImage, tar } from './images.ts';
import { expectNoLeaks } from './leaks.ts';

const never = new AbortController().signal;

/** A container of a shell line; what else is given goes into its manifest as it is. */
interface ContainerSketch {
  readonly name?: string;
  readonly line: string;
  readonly [field: string]: unknown;
}

/** An owner of pods within the test's own process, and an image `busybox`. */
export class HostPods {
  readonly folder = mkdtempSync('/tmp/mrt-');
  readonly roots: Roots = { root: join(this.folder, 'r'), state: join(this.folder, 's'), logs: join(this.folder, 'l') };
  readonly objects = new ObjectStore(this.roots);
  readonly #pods: HostPod[] = [];
  #host: PodHost | undefined;

  async open(): Promise<void> {
    await loadBusybox(openImageStore(this.roots.root), never);
    await this.reopen();
  }

  /** Lets go of every pod; another owner may take them. `meanwhile` happens while nobody owns any. */
  async reopen(meanwhile: () => Promise<void> = () => Promise.resolve()): Promise<void> {
    await this.#host?.close();
    await meanwhile();
    this.#host = await openHost(this.roots, { owner: 'foreground', log: silentLogger() });
  }

  /** Ends what a failed test left, too. */
  async close(): Promise<void> {
    await Promise.allSettled(this.#pods.map((pod) => pod.delete()));
    // Of those that an earlier owner let go of nobody has taken some again.
    for (const uid of podFolders(this.roots)) {
      const left = await this.#host?.own(uid);
      left?.terminate({ grace: undefined, now: true, remove: true });
      await left?.done;
    }
    await this.#host?.close();
    for (const kind of ['ConfigMap', 'Secret', 'PersistentVolumeClaim'] as const) {
      for (const { namespace, name } of await this.objects.list(kind, undefined)) {
        await this.objects.remove(kind, namespace, name);
      }
    }
    rmSync(this.folder, { recursive: true, force: true });
  }

  async configMap(name: string, data: Readonly<Record<string, string>>, binaryData = {}): Promise<void> {
    await this.objects.put(buildConfigMap({ metadata: { name }, data, binaryData }));
  }

  async secret(name: string, stringData: Readonly<Record<string, string>>): Promise<void> {
    await this.objects.put(buildSecret({ metadata: { name }, stringData }));
  }

  async claim(name: string): Promise<void> {
    const spec = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } };
    await this.objects.put(buildClaim({ metadata: { name }, spec }));
  }

  /** Adds an image of a shell, an empty /etc and what is given. */
  async image(name: string, entries: readonly TestEntry[] = []): Promise<void> {
    const shell = { name: 'bin/sh', content: readFileSync('/bin/busybox'), mode: 0o755 };
    const layer = await tar([{ name: 'bin/' }, { name: 'etc/' }, shell, ...entries]);
    await loadImage(openImageStore(this.roots.root), { layers: [layer], names: [name] }, never);
  }

  /** Starts a pod that is not restarted unless `spec` says so; `before` sees its files before anybody owns it. */
  async start(
    containers: readonly ContainerSketch[],
    spec: object = {},
    before: (view: PodView) => void = () => undefined,
    annotations: Readonly<Record<string, string>> = {},
  ): Promise<HostPod> {
    const written = containers.map(({ name = 'c', line, ...more }) => ({
      name,
      image: 'busybox',
      imagePullPolicy: 'Never',
      command: ['/bin/sh', '-c', line],
      ...more,
    }));
    const metadata = { name: `p${this.#pods.length}`, annotations };
    const whole = { restartPolicy: 'Never', terminationGracePeriodSeconds: 2, containers: written, ...spec };
    const pod = podFromObject({ apiVersion: 'v1', kind: 'Pod', metadata, spec: whole });
    const view = await registerPod(this.roots, pod, {});
    before(view);
    return this.take(view);
  }

  async take(view: PodView): Promise<HostPod> {
    if (this.#host === undefined) throw new Error('the host is there only while tests run');
    const pod = new HostPod(this.roots, view, await this.#host.own(view.uid));
    this.#pods.push(pod);
    return pod;
  }
}

function podFolders({ state }: Roots): readonly string[] {
  const folder = join(state, 'pods');
  return existsSync(folder) ? readdirSync(folder) : [];
}

/** A pod under way. */
export class HostPod {
  readonly view: PodView;
  readonly #roots: Roots;
  readonly #owned: OwnedPod;

  constructor(roots: Roots, view: PodView, owned: OwnedPod) {
    this.#roots = roots;
    this.view = view;
    this.#owned = owned;
  }

  /** Host folder of a volume. */
  volume(name: string): string {
    return join(this.view.paths.bulk, 'volumes', name);
  }

  /** What an instance of a container printed so far. */
  log(container = 'c', restart = 0): string {
    const path = join(podLogs(this.#roots, this.view), container, `${restart}.log`);
    return existsSync(path) ? readFileSync(path, 'utf8').replaceAll(/^\S+ std\w+ [FP] /gm, '') : '';
  }

  async status(): Promise<PodStatus> {
    const { pod, record } = await viewPod(this.#roots, this.view.uid);
    return podStatus(pod, record);
  }

  /** Host folder of the cgroup of a container that runs. */
  async cgroup(container = 'c'): Promise<string> {
    const { record } = await viewPod(this.#roots, this.view.uid);
    const state = record.containers.find(({ name }) => name === container)?.state;
    if (state === undefined || !('id' in state)) throw new Error(`${container} does not run`);
    return readFileSync(containerPaths(this.#roots, this.view.uid, state.id).cgroup, 'utf8');
  }

  journal(): string {
    return readFileSync(this.view.paths.journal, 'utf8');
  }

  /** Lets it come to its own end, sees that it holds nothing then, and removes it. */
  async ended(): Promise<PodView> {
    const last = await this.#owned.done;
    expect(existsSync(this.view.paths.bulk)).toBe(false);
    await removePod(this.#roots, last);
    return last;
  }

  /** Deletes it, and sees that nothing of it is left. */
  async delete({ now }: { readonly now: boolean } = { now: true }): Promise<void> {
    this.#owned.terminate({ grace: undefined, now, remove: true });
    await this.#owned.done;
    expect(existsSync(this.view.paths.bulk)).toBe(false);
  }
}

/** Pods for all tests of a file, which leave nothing behind: call it above them. */
export function useHostPods(): HostPods {
  const pods = new HostPods();
  expectNoLeaks(() => pods.roots);
  beforeAll(() => pods.open());
  afterAll(() => pods.close());
  return pods;
}
