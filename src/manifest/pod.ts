import type { Pod as V1Pod, Container as V1Container } from 'kubernetes-types/core/v1.js';
import type { ContainerSecurity, PodSecurity } from './security.ts';
import type { PullPolicy, Volume, VolumeMount } from './volume.ts';

export type { PullPolicy };

export type { V1Pod, V1Container };

export interface ExecAction {
  readonly kind: 'exec';
  readonly command: readonly string[];
}

export interface HttpGetAction {
  readonly kind: 'httpGet';
  /** undefined: the pod's address. */
  readonly host: string | undefined;
  /** A number, or the name of one of the container's ports. */
  readonly port: number | string;
  readonly path: string;
  readonly scheme: 'HTTP' | 'HTTPS';
  readonly headers: readonly { readonly name: string; readonly value: string }[];
}

export interface TcpSocketAction {
  readonly kind: 'tcpSocket';
  /** undefined: the pod's address. */
  readonly host: string | undefined;
  readonly port: number | string;
}

export interface GrpcAction {
  readonly kind: 'grpc';
  readonly port: number;
  readonly service: string;
}

export interface SleepAction {
  readonly kind: 'sleep';
  readonly seconds: number;
}

/** What a hook does when its moment comes (Kubernetes' LifecycleHandler, one-of made a tag). A tcpSocket always fails. */
export type Handler = ExecAction | HttpGetAction | SleepAction | TcpSocketAction;

export type ProbeHandler = ExecAction | HttpGetAction | TcpSocketAction | GrpcAction;

export type ProbeName = 'startup' | 'liveness' | 'readiness';

export interface Probe {
  readonly handler: ProbeHandler;
  /** Seconds since the container's process started. */
  readonly initialDelaySeconds: number;
  readonly timeoutSeconds: number;
  readonly periodSeconds: number;
  readonly successThreshold: number;
  readonly failureThreshold: number;
  /** Instead of the pod's, when this probe kills the container. */
  readonly terminationGracePeriodSeconds: number | undefined;
}

export interface ContainerPort {
  readonly name: string | undefined;
  readonly containerPort: number;
  readonly protocol: 'TCP' | 'UDP' | 'SCTP';
  /** A port of the host that leads here; 0: none. */
  readonly hostPort: number;
  /** The host's address that has it; empty: all of them. */
  readonly hostIP: string;
}

/** One of `restartPolicyRules`: what an exit code asks for, before the restart policy is. */
export interface RestartRule {
  readonly action: 'Restart' | 'RestartAllContainers';
  readonly operator: 'In' | 'NotIn';
  readonly values: readonly number[];
}

/** `init`: runs to its end before the next one; `sidecar`: an init container with restartPolicy Always. */
export type Role = 'init' | 'sidecar' | 'main';

export type RestartPolicy = 'Always' | 'OnFailure' | 'Never';

export interface EnvVar {
  readonly name: string;
  readonly value: string;
}

/** Where the value of a variable comes from, the one-of made a tag. */
export type EnvSource =
  | {
      readonly kind: 'configMapKey' | 'secretKey';
      readonly object: string;
      readonly key: string;
      readonly optional: boolean;
    }
  /** A field of the pod: `metadata.labels['app']`. */
  | { readonly kind: 'field'; readonly path: string }
  /** A line of a file that a container left in an emptyDir of the pod. */
  | {
      readonly kind: 'fileKey';
      readonly volume: string;
      /** Relative. */
      readonly path: string;
      readonly key: string;
      readonly optional: boolean;
    }
  /** `limits.cpu`, of this container when none is named, counted in units of `divisor`. */
  | {
      readonly kind: 'resource';
      readonly container: string | undefined;
      readonly resource: string;
      readonly divisor: string;
    };

/** A variable as it is written. */
export type EnvEntry = EnvVar | { readonly name: string; readonly from: EnvSource };

/** All keys of an object as variables. */
export interface EnvFrom {
  readonly kind: 'configMap' | 'secret';
  readonly object: string;
  readonly prefix: string;
  readonly optional: boolean;
}

/** Quantities by resource name. */
export interface Resources {
  readonly limits: Readonly<Record<string, string>>;
  readonly requests: Readonly<Record<string, string>>;
}

/** Which calls of the kernel the processes of a container may make. */
export type SeccompProfile =
  | { readonly kind: 'runtimeDefault' | 'unconfined' }
  | {
      readonly kind: 'localhost';
      /** Relative to the folder of profiles; empty: none was named. */
      readonly file: string;
    };

/** The AppArmor profile of a container's processes. */
export type AppArmor = (
  | { readonly kind: 'runtimeDefault' | 'unconfined' }
  | {
      readonly kind: 'localhost';
      /** Name of a loaded profile. */
      readonly profile: string;
    }
) & {
  /** Whether the manifest insists on one. */
  readonly demanded: boolean;
};

export interface Container {
  readonly name: string;
  readonly security: ContainerSecurity;
  readonly role: Role;
  readonly image: string;
  readonly imagePullPolicy: PullPolicy;
  /** False for an Always that was only defaulted: that one may use an image that is here (design §7). */
  readonly imagePullPolicyWritten: boolean;
  /** Empty: the image's ENTRYPOINT. */
  readonly command: readonly string[];
  /** Empty: the image's CMD, unless `command` is given. */
  readonly args: readonly string[];
  readonly envFrom: readonly EnvFrom[];
  readonly env: readonly EnvEntry[];
  readonly resources: Resources;
  readonly workingDir: string | undefined;
  readonly stdin: boolean;
  readonly stdinOnce: boolean;
  readonly tty: boolean;
  readonly terminationMessagePath: string;
  readonly terminationMessagePolicy: 'File' | 'FallbackToLogsOnError';
  readonly ports: readonly ContainerPort[];
  readonly probes: Readonly<Record<ProbeName, Probe | undefined>>;
  /** The container's own; undefined: the pod's. */
  readonly restartPolicy: RestartPolicy | undefined;
  readonly restartPolicyRules: readonly RestartRule[];
  readonly volumeMounts: readonly VolumeMount[];
  /** Of `lifecycle.stopSignal`; undefined: the image's. */
  readonly stopSignal: string | undefined;
  readonly seccomp: SeccompProfile;
  readonly appArmor: AppArmor;
  readonly postStart: Handler | undefined;
  readonly preStop: Handler | undefined;
}

export interface HostAlias {
  readonly ip: string;
  readonly hostnames: readonly string[];
}

/** How a pod looks names up: `dnsPolicy` and `dnsConfig`. */
export interface PodDns {
  readonly policy: 'ClusterFirst' | 'ClusterFirstWithHostNet' | 'Default' | 'None';
  readonly nameservers: readonly string[];
  readonly searches: readonly string[];
  /** An option without a value is its name alone. */
  readonly options: readonly { readonly name: string; readonly value: string | undefined }[];
}

/**
 * Where a pod has its address: on minirt's own network, on a named one of the host's CNI networks, nowhere but on its own
 * loopback, or (without a network of its own) on the host.
 */
export type Attached =
  { readonly kind: 'default' | 'none' | 'host' } | { readonly kind: 'named'; readonly name: string };

/** Where a pod is, what it is called beyond its hostname, and whom it knows by name. */
export interface PodNetwork {
  readonly attached: Attached;
  /** `{subdomain}.{namespace}.svc.{cluster domain}`; empty for a pod without a subdomain. */
  readonly domain: string;
  /** Whether the kernel's host name has the domain too. */
  readonly hostnameAsFqdn: boolean;
  readonly hostAliases: readonly HostAlias[];
  readonly dns: PodDns;
  /** Bits per second into the pod and out of it; undefined: as many as there are. */
  readonly bandwidth: { readonly ingress: number | undefined; readonly egress: number | undefined };
}

/** A Pod past the border: defaulted, checked, no optionals that mean a choice. */
export interface Pod {
  /** Whose processes containers see: each its own, all those of the pod, or all of the host. */
  readonly processes: 'own' | 'shared' | 'host';
  /** Whether root in its containers is nobody on the host, in a user namespace of the pod's own. */
  readonly ownUsers: boolean;
  /** Whether System V IPC, POSIX queues and shared memory are those of the host. */
  readonly hostIpc: boolean;
  readonly security: PodSecurity;
  readonly name: string;
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  /** Without a domain, unless `hostnameOverride` has one. */
  readonly hostname: string;
  readonly network: PodNetwork;
  readonly restartPolicy: RestartPolicy;
  /** Seconds. */
  readonly terminationGracePeriodSeconds: number;
  /** Seconds since the pod was taken in hand; undefined: no limit. */
  readonly activeDeadlineSeconds: number | undefined;
  /** The condition types of `readinessGates`. */
  readonly readinessGates: readonly string[];
  /** Seconds after which a hook is ended and has failed (annotation `minirt.dev/hook-timeout`); undefined: never. */
  readonly hookTimeout: number | undefined;
  /** Whether values of its Secrets are blackened in what is told of hooks and probes (annotation `minirt.dev/mask-secrets`). */
  readonly masksSecrets: boolean;
  readonly volumes: readonly Volume[];
  /** Names of Secrets. */
  readonly imagePullSecrets: readonly string[];
  /** Of all its containers together; undefined: not said. */
  readonly resources: Resources | undefined;
  /** In the order in which they start: init containers and sidecars as written, then the main ones. */
  readonly containers: readonly Container[];
  /** The defaulted manifest as Kubernetes would store it; output starts from it. */
  readonly object: V1Pod;
}
