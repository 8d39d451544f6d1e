import type { Pod as V1Pod, Container as V1Container } from 'kubernetes-types/core/v1.js';

export type { V1Pod, V1Container };

/** What a hook does when its moment comes (Kubernetes' LifecycleHandler, one-of made a tag). */
export type Handler = { readonly kind: 'exec'; readonly command: readonly string[] };

export type RestartPolicy = 'Always' | 'OnFailure' | 'Never';
export type PullPolicy = 'Always' | 'IfNotPresent' | 'Never';

export interface EnvVar {
  readonly name: string;
  readonly value: string;
}

export interface Container {
  readonly name: string;
  readonly image: string;
  readonly imagePullPolicy: PullPolicy;
  /** False for an Always that was only defaulted: that one may use an image that is here (design §7). */
  readonly imagePullPolicyWritten: boolean;
  /** Empty: the image's ENTRYPOINT. */
  readonly command: readonly string[];
  /** Empty: the image's CMD, unless `command` is given. */
  readonly args: readonly string[];
  readonly env: readonly EnvVar[];
  readonly workingDir: string | undefined;
  readonly stdin: boolean;
  readonly stdinOnce: boolean;
  readonly tty: boolean;
  readonly terminationMessagePath: string;
  readonly postStart: Handler | undefined;
  readonly preStop: Handler | undefined;
}

/** A Pod past the border: defaulted, checked, no optionals that mean a choice. */
export interface Pod {
  readonly name: string;
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly hostname: string;
  readonly restartPolicy: RestartPolicy;
  /** Seconds. */
  readonly terminationGracePeriodSeconds: number;
  readonly containers: readonly Container[];
  /** The defaulted manifest as Kubernetes would store it; output starts from it. */
  readonly object: V1Pod;
}
