import { MinirtError } from '../base/errors.ts';
import type {
  ContainerSpec,
  Credentials,
  DeviceNode,
  IdRange,
  Mount,
  MountFlag,
  ProcessSpec,
} from '../container/spec.ts';
import { expandArgs } from '../manifest/expand.ts';
import type { Container, EnvVar, Pod } from '../manifest/pod.ts';
import { oomScoreAdj } from './resources.ts';
import { capabilitiesFor } from './security.ts';

const DEFAULT_PATH = 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** What an image's config says about its process. */
export interface ImageProcess {
  readonly entrypoint: readonly string[];
  readonly cmd: readonly string[];
  readonly env: readonly string[];
  readonly workingDir: string;
}

export interface SpecInput {
  readonly pod: Pod;
  readonly container: Container;
  readonly image: ImageProcess;
  readonly user: Credentials;
  /** The pod's ids on the host; undefined: those of the host. */
  readonly users: IdRange | undefined;
  /** That root has on this host, with CAP_. */
  readonly capabilities: readonly string[];
  /** Nodes of the host's devices that it is to have. */
  readonly devices: readonly DeviceNode[];
  /** The variables that the manifest declares, with their values. */
  readonly env: readonly EnvVar[];
  readonly id: string;
  readonly uid: string;
  readonly rootfs: ContainerSpec['rootfs'];
  readonly namespaces: ContainerSpec['namespaces'];
  /** What `hostname` prints there. */
  readonly hostname: string;
  /** Path of the compiled filter. */
  readonly seccomp: string | undefined;
  /** Name of a loaded profile. */
  readonly appArmor: string | undefined;
  readonly log: string;
  /** Bytes that the host has. */
  readonly memory: number;
  /** The mounts of the container's volumes. */
  readonly volumes: readonly Mount[];
  /** Host paths of the files that minirt makes for the container. */
  readonly files: {
    readonly hosts: string;
    readonly resolvConf: string;
    readonly hostname: string;
    readonly terminationLog: string;
    readonly shm: string;
  };
}

/** A Kubernetes container in Linux terms. Pure; throws MinirtError when there is nothing to run. */
export function containerSpec(input: SpecInput): ContainerSpec {
  return {
    id: input.id,
    owner: input.uid,
    rootfs: input.rootfs,
    readonlyRootfs: input.container.security.readOnlyRootFilesystem,
    mounts: mounts(input),
    namespaces: input.namespaces,
    privileged: input.container.security.privileged,
    unmasked: input.container.security.unmasked,
    devices: input.devices,
    process: processSpec(input),
    log: input.log,
  };
}

function processSpec({
  pod,
  container,
  hostname,
  image,
  user,
  users,
  memory,
  seccomp,
  appArmor,
  env: declared,
  capabilities,
}: SpecInput): ProcessSpec {
  const env = environment({ container, hostname, image, user }, declared);
  return {
    args: commandLine(container, image, declared),
    env,
    cwd: container.workingDir ?? (image.workingDir === '' ? '/' : image.workingDir),
    user,
    ...(users === undefined ? {} : { users }),
    capabilities: capabilitiesFor(container, capabilities),
    noNewPrivileges: !container.security.allowPrivilegeEscalation,
    seccomp,
    ...(appArmor === undefined ? {} : { appArmor }),
    oomScoreAdj: oomScoreAdj(pod, container, memory),
    terminal: container.tty,
    stdin: container.stdin,
  };
}

/** `command` replaces ENTRYPOINT and drops CMD, `args` alone replaces CMD (semantics §9.5). */
export function commandLine(
  container: Pick<Container, 'name' | 'command' | 'args'>,
  image: Pick<ImageProcess, 'entrypoint' | 'cmd'>,
  env: readonly { readonly name: string; readonly value: string }[],
): readonly string[] {
  const command = expandArgs(container.command, env);
  const args = expandArgs(container.args, env);
  const line =
    command.length > 0 ? [...command, ...args] : [...image.entrypoint, ...(args.length > 0 ? args : image.cmd)];
  if (line.length === 0) {
    throw new MinirtError('image.invalid', `run container: ${container.name}: no command specified`, {
      hint: 'the image has neither ENTRYPOINT nor CMD: give the container a command',
    });
  }
  return line;
}

/** The image's variables, then what the runtime adds where nobody set it, then the manifest's (semantics §9.4). */
function environment(
  { container, hostname, image, user }: Pick<SpecInput, 'container' | 'hostname' | 'image' | 'user'>,
  declared: readonly { readonly name: string; readonly value: string }[],
): readonly string[] {
  const variables = new Map<string, string>();
  const set = (pair: string): void => {
    const at = pair.indexOf('=');
    if (at > 0) variables.set(pair.slice(0, at), pair.slice(at + 1));
  };
  set(DEFAULT_PATH);
  set(`HOSTNAME=${hostname}`);
  if (container.tty) set('TERM=xterm');
  for (const pair of image.env) set(pair);
  for (const { name, value } of declared) variables.set(name, value);
  if (!variables.has('HOME')) variables.set('HOME', user.home);
  return [...variables].map(([name, value]) => `${name}=${value}`);
}

/**
 * Volumes and the files that minirt makes, unless a volume takes their place. Whatever is mounted within another comes
 * after it (containerd's orderedMounts).
 */
function mounts({ container, files, volumes }: SpecInput): readonly Mount[] {
  const bind = (source: string, target: string, ...flags: readonly MountFlag[]): Mount => {
    return { kind: 'bind', source, target, flags: ['rprivate', ...flags] };
  };
  // The kubelet mounts the others; these a runtime does, which has them go with the root file system (containerd).
  const asRoot = container.security.readOnlyRootFilesystem ? (['ro'] as const) : [];
  const managed = [
    bind(files.hosts, '/etc/hosts'),
    bind(files.resolvConf, '/etc/resolv.conf', ...asRoot),
    bind(files.hostname, '/etc/hostname', ...asRoot),
    bind(files.terminationLog, container.terminationMessagePath),
    bind(files.shm, '/dev/shm'),
  ];
  const taken = new Set(volumes.map(({ target }) => target));
  const depth = ({ target }: Mount): number => target.split('/').length;
  return [...volumes, ...managed.filter(({ target }) => !taken.has(target))].toSorted((a, b) => depth(a) - depth(b));
}
