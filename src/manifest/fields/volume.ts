import { type Field, type Rows, notYet, refused, supported } from './row.ts';

const outside = (what: string): Field => refused('any', `${what} cannot be mounted by a runtime without a cluster`);
const removed = (): Field => refused('any', 'Kubernetes has removed this kind of volume');
const later = (type: string): Field => notYet(type, 'volumes');

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
    emptyDir: supported('EmptyDirVolumeSource', { note: 'On disk; also of a volume without a source.' }),
    hostPath: supported('HostPathVolumeSource', { note: 'Of the host that minirt runs on.' }),
    configMap: later('ConfigMapVolumeSource'),
    secret: later('SecretVolumeSource'),
    downwardAPI: later('DownwardAPIVolumeSource'),
    projected: later('ProjectedVolumeSource'),
    image: later('ImageVolumeSource'),
    persistentVolumeClaim: later('PersistentVolumeClaimVolumeSource'),
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
  EmptyDirVolumeSource: { medium: notYet('string', 'volumes', { neutral: [''] }), sizeLimit: later('Quantity') },
  HostPathVolumeSource: {
    path: supported('string', {
      note: 'Required; links are followed. Without `type`, a folder is made when nothing is there.',
    }),
    type: supported('string', { preset: '', values: HOST_PATH_TYPES }),
  },
  ConfigMapVolumeSource: {
    name: later('string'),
    items: later('[]KeyToPath'),
    defaultMode: notYet('int32', 'volumes', { preset: 0o644 }),
    optional: later('boolean'),
  },
  SecretVolumeSource: {
    secretName: later('string'),
    items: later('[]KeyToPath'),
    defaultMode: notYet('int32', 'volumes', { preset: 0o644 }),
    optional: later('boolean'),
  },
  KeyToPath: { key: later('string'), path: later('string'), mode: later('int32') },
  DownwardAPIVolumeSource: {
    items: later('[]DownwardAPIVolumeFile'),
    defaultMode: notYet('int32', 'volumes', { preset: 0o644 }),
  },
  DownwardAPIVolumeFile: {
    path: later('string'),
    fieldRef: later('ObjectFieldSelector'),
    resourceFieldRef: later('ResourceFieldSelector'),
    mode: later('int32'),
  },
  ProjectedVolumeSource: {
    sources: later('[]VolumeProjection'),
    defaultMode: notYet('int32', 'volumes', { preset: 0o644 }),
  },
  VolumeProjection: {
    configMap: later('ConfigMapProjection'),
    secret: later('SecretProjection'),
    downwardAPI: later('DownwardAPIProjection'),
    serviceAccountToken: refused('ServiceAccountTokenProjection', 'there is no API server to issue a token'),
    clusterTrustBundle: refused('ClusterTrustBundleProjection', 'there is no API server that holds trust bundles'),
    podCertificate: refused('PodCertificateProjection', 'there is no API server to sign certificates'),
  },
  ConfigMapProjection: { name: later('string'), items: later('[]KeyToPath'), optional: later('boolean') },
  SecretProjection: { name: later('string'), items: later('[]KeyToPath'), optional: later('boolean') },
  DownwardAPIProjection: { items: later('[]DownwardAPIVolumeFile') },
  ServiceAccountTokenProjection: {
    audience: later('string'),
    expirationSeconds: later('int64'),
    path: later('string'),
  },
  ClusterTrustBundleProjection: {
    labelSelector: later('LabelSelector'),
    name: later('string'),
    optional: later('boolean'),
    path: later('string'),
    signerName: later('string'),
  },
  PodCertificateProjection: {
    signerName: later('string'),
    keyType: later('string'),
    maxExpirationSeconds: later('int32'),
    credentialBundlePath: later('string'),
    keyPath: later('string'),
    certificateChainPath: later('string'),
    userAnnotations: later('map[string]string'),
  },
  ImageVolumeSource: { reference: later('string'), pullPolicy: later('string') },
  PersistentVolumeClaimVolumeSource: { claimName: later('string'), readOnly: later('boolean') },
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
