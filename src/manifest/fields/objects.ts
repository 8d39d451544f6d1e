import { type Rows, supported } from './row.ts';

const COMMON = {
  apiVersion: supported('string', { note: '`v1`.' }),
  kind: supported('string'),
  metadata: supported('ObjectMeta'),
  immutable: supported('boolean', { note: 'Its data can then only be deleted.' }),
};

/** What pods take their configuration from. */
export const objectTables = {
  ConfigMap: {
    ...COMMON,
    data: supported('map[string]string'),
    binaryData: supported('map[string]string', { note: 'Base64.' }),
  },
  Secret: {
    ...COMMON,
    data: supported('map[string]string', { note: 'Base64. Kept on a tmpfs only, so it is gone after a reboot.' }),
    stringData: supported('map[string]string', { note: 'Goes into `data`.' }),
    type: supported('string', { preset: 'Opaque' }),
  },
} as const satisfies Readonly<Record<string, Rows>>;
