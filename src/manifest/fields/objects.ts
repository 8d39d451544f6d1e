import { type Rows, noMeaning, refused, supported } from './row.ts';

const COMMON = {
  apiVersion: supported('string', { note: '`v1`.' }),
  kind: supported('string'),
  metadata: supported('ObjectMeta'),
};
const IMMUTABLE = supported('boolean', { note: 'Its data can then only be deleted.' });
const ONE_KIND = 'There is one kind of storage: a folder below `--root`.';

/** What pods take their configuration from. */
export const objectTables = {
  ConfigMap: {
    ...COMMON,
    immutable: IMMUTABLE,
    data: supported('map[string]string'),
    binaryData: supported('map[string]string', { note: 'Base64.' }),
  },
  Secret: {
    ...COMMON,
    immutable: IMMUTABLE,
    data: supported('map[string]string', { note: 'Base64. Kept on a tmpfs only, so it is gone after a reboot.' }),
    stringData: supported('map[string]string', { note: 'Goes into `data`.' }),
    type: supported('string', { preset: 'Opaque' }),
  },
  PersistentVolumeClaim: {
    ...COMMON,
    spec: supported('PersistentVolumeClaimSpec'),
    status: noMeaning('any', 'Set by minirt; dropped from a manifest, as Kubernetes does.'),
  },
  PersistentVolumeClaimSpec: {
    accessModes: supported('[]string', { note: 'Required; on one host each of them lets every pod write.' }),
    resources: supported('VolumeResourceRequirements'),
    storageClassName: noMeaning('string', ONE_KIND),
    volumeAttributesClassName: noMeaning('string', ONE_KIND),
    volumeName: noMeaning('string', 'There are no volumes but those that claims make.'),
    volumeMode: refused('string', 'a claim is a folder here, not a block device', {
      preset: 'Filesystem',
      values: ['Block', 'Filesystem'],
    }),
    selector: refused('LabelSelector', 'there are no volumes but those that claims make'),
    dataSource: refused('any', 'copies and snapshots need a storage driver'),
    dataSourceRef: refused('any', 'copies and snapshots need a storage driver'),
  },
  VolumeResourceRequirements: {
    requests: supported('map[string]Quantity', { note: '`storage` is required; it is not enforced.' }),
    limits: noMeaning('map[string]Quantity', 'Storage is not limited.'),
  },
} as const satisfies Readonly<Record<string, Rows>>;
