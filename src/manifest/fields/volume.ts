import { type Field, type Rows, refused, supported } from './row.ts';

const outside = (what: string): Field => refused('any', `${what} cannot be mounted by a runtime without a cluster`);
const removed = (): Field => refused('any', 'Kubernetes has removed this kind of volume');
const tokens = (type: string): Field => refused(type, 'there is no API server to issue a token');
const bundles = (type: string): Field => refused(type, 'there is no API server that holds trust bundles');
const certificates = (type: string): Field => refused(type, 'there is no API server to sign certificates');

const MODE = supported('int32', { preset: 0o644, note: '0 to 0777 (octal).' });

const HOST_PATH_TYPES = [
  '',
  'BlockDevice',
  'CharDevice',
  'Directory',
  'DirectoryOrCreate',
  'File',
  'FileOrCreate',
  'Socket',
] as const;

/** Volumes, what fills them, and how containers mount them. */
export const volumeTables = {
  Volume: {
    name: supported('string', { note: 'Required, unique in the pod.' }),
    emptyDir: supported('EmptyDirVolumeSource', { note: 'Also of a volume without a source.' }),
    hostPath: supported('HostPathVolumeSource', { note: 'Of the host that minirt runs on.' }),
    configMap: supported('ConfigMapVolumeSource', { note: 'Follows the object when that changes.' }),
    secret: supported('SecretVolumeSource', { note: 'On a tmpfs; follows the object when that changes.' }),
    downwardAPI: supported('DownwardAPIVolumeSource', { note: 'On a tmpfs.' }),
    projected: supported('ProjectedVolumeSource', { note: 'On a tmpfs.' }),
    image: supported('ImageVolumeSource', { note: 'Read-only; of a `subPath` a folder.' }),
    persistentVolumeClaim: supported('PersistentVolumeClaimVolumeSource', {
      note: 'A folder below `--root`, kept until the claim is deleted.',
    }),
    ephemeral: outside('a claim made from a template'),
    csi: outside('a CSI volume'),
    nfs: outside('an NFS volume'),
    iscsi: outside('an iSCSI volume'),
    fc: outside('a Fibre Channel volume'),
    flexVolume: outside('a FlexVolume'),
    awsElasticBlockStore: outside('a cloud disk'),
    azureDisk: outside('a cloud disk'),
    azureFile: outside('a cloud share'),
    cinder: outside('a cloud disk'),
    gcePersistentDisk: outside('a cloud disk'),
    portworxVolume: outside('a Portworx volume'),
    vsphereVolume: outside('a vSphere disk'),
    cephfs: removed(),
    flocker: removed(),
    gitRepo: removed(),
    glusterfs: removed(),
    photonPersistentDisk: removed(),
    quobyte: removed(),
    rbd: removed(),
    scaleIO: removed(),
    storageos: removed(),
  },
  EmptyDirVolumeSource: {
    medium: supported('string', {
      note: 'Empty, `Memory`, `HugePages` or `HugePages-2Mi`; huge pages need a limit of their size in the pod.',
    }),
    sizeLimit: supported('Quantity', { note: 'In memory: the size of the tmpfs. On disk: a pod over it is evicted.' }),
  },
  HostPathVolumeSource: {
    path: supported('string', {
      note: 'Required; links are followed. Without `type`, a folder is made when nothing is there.',
    }),
    type: supported('string', { preset: '', values: HOST_PATH_TYPES }),
  },
  ConfigMapVolumeSource: {
    name: supported('string', { note: 'Required.' }),
    items: supported('[]KeyToPath', { note: 'Missing: every key.' }),
    defaultMode: MODE,
    optional: supported('boolean'),
  },
  SecretVolumeSource: {
    secretName: supported('string', { note: 'Required.' }),
    items: supported('[]KeyToPath', { note: 'Missing: every key.' }),
    defaultMode: MODE,
    optional: supported('boolean'),
  },
  KeyToPath: {
    key: supported('string', { note: 'Required.' }),
    path: supported('string', { note: 'Required, relative.' }),
    mode: supported('int32'),
  },
  DownwardAPIVolumeSource: { items: supported('[]DownwardAPIVolumeFile'), defaultMode: MODE },
  DownwardAPIVolumeFile: {
    path: supported('string', { note: 'Required, relative.' }),
    fieldRef: supported('ObjectFieldSelector', { note: 'Of `metadata` only.' }),
    resourceFieldRef: supported('ResourceFieldSelector', { note: 'Needs `containerName`.' }),
    mode: supported('int32'),
  },
  ProjectedVolumeSource: { sources: supported('[]VolumeProjection'), defaultMode: MODE },
  VolumeProjection: {
    configMap: supported('ConfigMapProjection'),
    secret: supported('SecretProjection'),
    downwardAPI: supported('DownwardAPIProjection'),
    serviceAccountToken: tokens('ServiceAccountTokenProjection'),
    clusterTrustBundle: bundles('ClusterTrustBundleProjection'),
    podCertificate: certificates('PodCertificateProjection'),
  },
  ConfigMapProjection: {
    name: supported('string', { note: 'Required.' }),
    items: supported('[]KeyToPath', { note: 'Missing: every key.' }),
    optional: supported('boolean'),
  },
  SecretProjection: {
    name: supported('string', { note: 'Required.' }),
    items: supported('[]KeyToPath', { note: 'Missing: every key.' }),
    optional: supported('boolean'),
  },
  DownwardAPIProjection: { items: supported('[]DownwardAPIVolumeFile') },
  ServiceAccountTokenProjection: {
    audience: tokens('string'),
    expirationSeconds: tokens('int64'),
    path: tokens('string'),
  },
  ClusterTrustBundleProjection: {
    labelSelector: bundles('LabelSelector'),
    name: bundles('string'),
    optional: bundles('boolean'),
    path: bundles('string'),
    signerName: bundles('string'),
  },
  PodCertificateProjection: {
    signerName: certificates('string'),
    keyType: certificates('string'),
    maxExpirationSeconds: certificates('int32'),
    credentialBundlePath: certificates('string'),
    keyPath: certificates('string'),
    certificateChainPath: certificates('string'),
    userAnnotations: certificates('map[string]string'),
  },
  ImageVolumeSource: {
    reference: supported('string', { note: 'Required.' }),
    pullPolicy: supported('string', {
      values: ['Always', 'IfNotPresent', 'Never'],
      note: 'Missing: `Always` for the tag `latest` or none, else `IfNotPresent`.',
    }),
  },
  PersistentVolumeClaimVolumeSource: {
    claimName: supported('string', { note: 'Required.' }),
    readOnly: supported('boolean'),
  },
  VolumeMount: {
    name: supported('string', { note: 'Required, of a volume of the pod.' }),
    mountPath: supported('string', { note: 'Required, unique in the container, made when it is not there.' }),
    readOnly: supported('boolean'),
    recursiveReadOnly: supported('string', {
      values: ['Disabled', 'Enabled', 'IfPossible'],
      note: 'Needs `readOnly`; `IfPossible` always is.',
    }),
    mountPropagation: supported('string', {
      values: ['Bidirectional', 'HostToContainer', 'None'],
      note: '`Bidirectional` needs a privileged container.',
    }),
    subPath: supported('string', {
      note: 'Made as a folder when it is not there; links that leave the volume are refused.',
    }),
    subPathExpr: supported('string', { note: "`$(VAR)` is expanded from the container's environment." }),
  },
  VolumeDevice: {
    name: refused('string', 'block devices come from persistent volumes, which need a cluster'),
    devicePath: refused('string', 'block devices come from persistent volumes, which need a cluster'),
  },
} as const satisfies Readonly<Record<string, Rows>>;
