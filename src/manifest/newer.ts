/** Fields that Kubernetes has and `kubernetes-types`, which stops at 1.30, does not. */
import type { ContainerStatus, EnvVarSource, PodSpec, ResourceRequirements, Volume } from 'kubernetes-types/core/v1.js';

export interface ImageVolumeSource {
  readonly reference?: string;
  readonly pullPolicy?: string;
}

export interface FileKeySelector {
  readonly volumeName?: string;
  readonly path?: string;
  readonly key?: string;
  readonly optional?: boolean;
}

export interface LinuxContainerUser {
  readonly uid: number;
  readonly gid: number;
  readonly supplementalGroups?: number[];
}

export type NewerContainerStatus = ContainerStatus & { readonly user?: { readonly linux: LinuxContainerUser } };
export type NewerVolume = Volume & { readonly image?: ImageVolumeSource };
export type NewerEnvVarSource = EnvVarSource & { readonly fileKeyRef?: FileKeySelector };
export type NewerPodSpec = PodSpec & { readonly resources?: ResourceRequirements };
