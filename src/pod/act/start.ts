import { randomBytes } from 'node:crypto';
import { chmodSync, closeSync, mkdirSync, openSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { totalmem } from 'node:os';
import { dirname, join } from 'node:path';
import { SECOND } from '../../base/clock.ts';
import { type ErrorCode, type MinirtError, isMinirtError, messageOf } from '../../base/errors.ts';
import { Teardown } from '../../base/teardown.ts';
import { createContainer, removeContainer } from '../../container/runtime.ts';
import type { ContainerSpec, Credentials, IdRange, RootFs } from '../../container/spec.ts';
import { peekImage } from '../../helper/peek.ts';
import type { Image } from '../../image/store.ts';
import type { Container, EnvVar } from '../../manifest/pod.ts';
import { containerLog, containerPaths, podPaths } from '../../state/paths.ts';
import { privateFolder, writeAtomically } from '../../state/files.ts';
import { hostDevices } from '../../sys/devices.ts';
import { thisNode } from '../../sys/node.ts';
import type { EngineView } from '../engine.ts';
import { declaredEnv, objectsOfEnv } from '../env.ts';
import type { ContainerEvent } from '../lifecycle.ts';
import { hostnameOf } from '../hostname.ts';
import { eventOf } from '../notes.ts';
import type { ProcessUser } from '../record.ts';
import { limitsOf } from '../resources.ts';
import { signalNumber } from '../signals.ts';
import { credentialsFor, verifyMapped, verifyNonRoot } from '../security.ts';
import { containerSpec } from '../spec.ts';
import { filesOfEnv } from '../volumes/env-files.ts';
import { volumeMounts } from '../volumes/index.ts';
import type { VolumeSources } from '../volumes/kind.ts';
import { imagePartFailure, partFailure } from '../volumes/mount.ts';
import { appArmorOf, filterOf } from './confinement.ts';
import type { PodHostPorts } from './host.ts';
import { ensureImage, ownImage, volumeImages } from './image.ts';
import { lastWords } from './last-words.ts';
import { givenCapabilities } from './resources.ts';
import { type Live, type LiveOptions, follow } from './live.ts';
import { noteSecrets } from './mask.ts';
import { namespacesOf, sandboxFiles, volumeHome } from './sandbox.ts';
import { idsOf } from './users.ts';

/** The kubelet looks again at a container it could not create after this long. */
const RETRY_SECONDS = 10n;
/** A passwd or group file over this size is refused: it comes from the image. */
const ACCOUNTS_LIMIT = 1 << 20;

export interface Starting {
  readonly ports: PodHostPorts;
  readonly engine: EngineView;
  readonly container: Container;
  readonly letGo: AbortSignal;
  /** Called as soon as there is something to follow. */
  readonly onLive: (live: Live) => void;
}

/** Creates and starts one instance of a container; every outcome is told as events. */
export async function startContainer(starting: Starting): Promise<void> {
  const { ports, engine, container } = starting;
  const emit = (event: ContainerEvent): void => {
    engine.emit({ kind: 'container', name: container.name, event });
  };
  const id = randomBytes(32).toString('hex');
  emit({ kind: 'create', id });
  let live: Live;
  let user: ProcessUser;
  try {
    await forgetHooks(ports, engine, container.name);
    for (const wanted of volumeImages(engine.pod, container)) {
      const found = await ensureImage(ports, engine, wanted);
      if (found.kind === 'missing') return emit(found.event);
      engine.note(eventOf(container.name, 'Normal', 'Pulled', found.event.message));
    }
    const image = await ensureImage(ports, engine, ownImage(container));
    if (image.kind === 'missing') return emit(image.event);
    emit(image.event);
    // Else it would be found out when it is to be stopped.
    signalNumber(image.event.stopSignal);
    ({ live, user } = await createInstance(starting, image.image, id));
  } catch (error) {
    if (!(error instanceof TooLittleMemory)) return emit(createFailure(starting, error));
    emit({ kind: 'created', id, user: error.user });
    return emit({ kind: 'startFailed', id, message: error.message, wall: ports.clock.wall().toISOString() });
  }
  starting.onLive(live);
  emit({ kind: 'created', id, user });
  if (engine.record.termination !== undefined) return abandon(live);
  try {
    await live.client?.start();
  } catch (error) {
    // A failed execve is in the monitor's record, which tells it as startFailed.
    ports.log.debug({ container: container.name, error: messageOf(error) }, 'start failed');
    return live.gone;
  }
  emit({ kind: 'started', id, wall: ports.clock.wall().toISOString() });
}

/** What the hooks of the instance before left is needed until the next one is made. */
async function forgetHooks({ roots }: PodHostPorts, { record }: EngineView, name: string): Promise<void> {
  const id = record.containers.find((one) => one.name === name)?.last?.containerId ?? '';
  if (id !== '') await rm(containerPaths(roots, record.uid, id).execs, { recursive: true, force: true });
}

/** The pod is being ended: an instance whose process was never started goes without a trace of one. */
async function abandon(live: Live): Promise<void> {
  await live.client?.kill();
  await live.gone;
}

/** The container's process died before it could become the program, in a runtime's words. */
class TooLittleMemory extends Error {
  readonly user: ProcessUser;

  constructor(user: ProcessUser) {
    super('failed to create container process: container init was OOM-killed (memory limit too low?)');
    this.user = user;
  }
}

async function createInstance(
  starting: Starting,
  image: Image,
  id: string,
): Promise<{ readonly live: Live; readonly user: ProcessUser }> {
  const { ports, engine, container } = starting;
  const uid = engine.record.uid;
  const paths = containerPaths(ports.roots, uid, id);
  const undo = new Teardown();
  undo.add('remove what its execs were to find', () => rm(paths.execs, { recursive: true, force: true }));
  try {
    privateFolder(paths.execs);
    await noteSecrets(ports, engine, paths);
    const spec = await specOf(starting, image, id);
    writeAtomically(paths.process, JSON.stringify(spec.process));
    const { uid: processUid, gid, groups } = spec.process.user;
    const user = { uid: processUid, gid, groups };
    const cgroup = await ports.cgroups.createContainer(
      uid,
      id,
      container.security.privileged ? 'all' : 'default',
      limitsOf(engine.pod, container),
    );
    undo.add('remove its cgroup', () => cgroup.remove());
    writeAtomically(paths.cgroup, cgroup.path);
    mkdirSync(dirname(spec.log), { recursive: true, mode: 0o755 });
    const client = await createContainer(spec, paths, cgroup, ports.signal).catch((error: unknown) => {
      throw cgroup.oomKills() > 0 ? new TooLittleMemory(user) : error;
    });
    undo.move();
    const { letGo } = starting;
    const live = follow(client, liveOptions(ports, { engine, name: container.name, id, paths, cgroup, letGo }));
    return { live, user };
  } catch (error) {
    await undo.run().catch(() => undefined);
    throw error;
  }
}

/** How an instance is followed, new or adopted. */
export function liveOptions(
  ports: PodHostPorts,
  about: Pick<LiveOptions, 'engine' | 'name' | 'id' | 'paths' | 'cgroup' | 'letGo'>,
): LiveOptions {
  const message = terminationLog(ports, about.engine, about.id);
  return {
    ...about,
    log: ports.log,
    notedUntil: ports.clock.now(),
    lastWords: (exitCode) => lastWords(ports, about, message, exitCode),
    release: async () => {
      await about.cgroup.remove();
      await removeContainer(about.paths);
      await rm(message, { force: true });
    },
  };
}

async function specOf(starting: Starting, image: Image, id: string): Promise<ContainerSpec> {
  const { ports, engine, container } = starting;
  const { record, pod } = engine;
  const rootfs = await ports.images.rootfs(image, ports.signal);
  const files = sandboxFiles(podPaths(ports.roots, record.uid));
  const message = terminationLog(ports, engine, id);
  mkdirSync(dirname(message), { recursive: true, mode: 0o700 });
  closeSync(openSync(message, 'w'));
  chmodSync(message, 0o666);
  const restart = record.containers.find((one) => one.name === container.name)?.restartCount ?? 0;
  const identity = { namespace: pod.namespace, name: pod.name, uid: record.uid };
  const env = await environmentOf(ports, engine, container);
  const capabilities = givenCapabilities(pod, ports.cgroups);
  const users = pod.ownUsers ? idsOf(ports.roots.state, record.uid) : undefined;
  return containerSpec({
    pod,
    container,
    image: image.config,
    env,
    user: await credentials(starting, rootfs, { user: image.config.user, users }),
    users,
    capabilities,
    devices: container.security.privileged ? hostDevices() : [],
    id,
    uid: record.uid,
    rootfs,
    volumes: await volumeMounts({ pod, container, sources: volumeSources(ports, engine), env }),
    namespaces: namespacesOf(pod, files),
    hostname: hostnameOf(pod),
    memory: totalmem(),
    seccomp: await filterOf(ports, container, capabilities),
    appArmor: await appArmorOf(container, ports.signal),
    log: containerLog(ports.roots, identity, { name: container.name, restart }),
    files: {
      hosts: files.hosts,
      resolvConf: files.resolvConf,
      hostname: files.hostname,
      terminationLog: message,
      shm: pod.hostIpc ? '/dev/shm' : files.shm,
    },
  });
}

function volumeSources({ roots, images, signal }: PodHostPorts, engine: EngineView): VolumeSources {
  const rootfs = async (reference: string): Promise<RootFs | undefined> => {
    const found = await images.find(reference);
    return found && (await images.rootfs(found, signal));
  };
  return { ...volumeHome(roots, engine), rootfs };
}

/** The variables that the manifest declares, as they are now. */
async function environmentOf(
  ports: PodHostPorts,
  engine: EngineView,
  container: Container,
): Promise<readonly EnvVar[]> {
  const { objects, roots } = ports;
  const { pod, record } = engine;
  const ip = record.sandbox.phase === 'ready' ? record.sandbox.ip : undefined;
  const found = await objectsOfEnv(container, pod.namespace, objects);
  const files = await filesOfEnv(container, pod, volumeHome(roots, engine), ports.signal);
  return declaredEnv(container, { pod, uid: record.uid, ip, node: thisNode(roots.root), files, ...found });
}

/** Who the container's process is; names and groups come from the image's own files. */
async function credentials(
  { engine, container, ports }: Starting,
  rootfs: RootFs,
  { user, users }: { readonly user: string; readonly users: IdRange | undefined },
): Promise<Credentials> {
  verifyNonRoot(engine.pod, container, { user }, engine.record.uid);
  const files = ['/etc/passwd', '/etc/group'].map((path) => ({ path, limit: ACCOUNTS_LIMIT }));
  const accounts = await peekImage(rootfs, files, ports.signal);
  const text = (path: string): string => accounts.get(path)?.toString('utf8') ?? '';
  const found = credentialsFor(engine.pod, container, { user, passwd: text('/etc/passwd'), group: text('/etc/group') });
  if (users !== undefined) verifyMapped(found, users);
  return found;
}

/** What the runtime itself could not do; all else is about what the container asks for. */
const OF_RUNTIME: ReadonlySet<ErrorCode> = new Set([
  'helper.failed',
  'host.no-controller',
  'host.no-overlay',
  'host.unsupported',
]);

function createFailure({ ports, container }: Starting, error: unknown): ContainerEvent {
  const part = partFailure(container, error);
  const imagePart = imagePartFailure(container, error);
  const config = part !== undefined || (isMinirtError(error) && !OF_RUNTIME.has(error.code));
  const why = isMinirtError(error) ? (error.hint ?? unmapped(error)) : undefined;
  const hint = !config && why !== undefined ? ` (${why})` : '';
  const message = part ?? imagePart ?? `${messageOf(error)}${hint}`;
  return {
    kind: 'createFailed',
    reason: config ? 'CreateContainerConfigError' : 'CreateContainerError',
    message,
    retryAt: ports.clock.now() + RETRY_SECONDS * SECOND,
    events: [{ reason: 'Failed', message: `Error: ${message}` }],
  };
}

/** What the kernel's "invalid argument" means for a volume of a pod with users of its own. */
function unmapped({ details }: MinirtError): string | undefined {
  if (!String(details['what']).startsWith('id-map ')) return undefined;
  return 'the file system there has no id-mapped mounts, which hostUsers: false takes';
}

function terminationLog(ports: PodHostPorts, engine: EngineView, id: string): string {
  return join(podPaths(ports.roots, engine.record.uid).etc, 'termination', id.slice(0, 12));
}
