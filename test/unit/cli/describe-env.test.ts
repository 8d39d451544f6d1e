import { describe, expect, test } from 'vitest';
import { layOut } from '../../../src/cli/render/columns.ts';
import { describeEnv } from '../../../src/cli/render/describe-env.ts';
import { Lines } from '../../../src/cli/render/lines.ts';
import type { V1Container } from '../../../src/manifest/pod.ts';

const metadata = { name: 'p', namespace: 'shop', uid: 'u-1', labels: { app: 'web' }, annotations: {} };

function described(container: Partial<V1Container>): readonly string[] {
  const lines = new Lines();
  describeEnv(lines, { name: 'c', ...container }, metadata);
  return layOut(lines.all).trimEnd().split('\n');
}

const field = (name: string, fieldPath: string): object => ({
  name,
  valueFrom: { fieldRef: { apiVersion: 'v1', fieldPath } },
});
const resource = (name: string, of: string, divisor?: string): object => ({
  name,
  valueFrom: { resourceFieldRef: { resource: of, divisor } },
});

describe('the environment of a container', () => {
  test('is nothing', () => {
    expect(described({})).toEqual(['    Environment:  <none>']);
  });

  test('has values, of several lines too', () => {
    expect(
      described({
        env: [
          { name: 'A', value: 'one\ntwo' },
          { name: 'LONG', value: '' },
        ],
      }),
    ).toEqual(['    Environment:', '      A:     one', '             two', '      LONG:']);
  });

  test('comes from whole objects', () => {
    const envFrom = [
      { prefix: 'P_', configMapRef: { name: 'settings' } },
      { secretRef: { name: 'login', optional: true } },
    ];
    expect(described({ envFrom })).toEqual([
      '    Environment Variables from:',
      "      settings    ConfigMap with prefix 'P_'  Optional: false",
      '      login       Secret                      Optional: true',
      '    Environment:  <none>',
    ]);
  });

  test('comes from keys of objects, of which values are not shown', () => {
    const env = [
      { name: 'M', valueFrom: { configMapKeyRef: { name: 'settings', key: 'mode' } } },
      { name: 'S', valueFrom: { secretKeyRef: { name: 'login', key: 'password', optional: true } } },
    ];
    expect(described({ env })).toEqual([
      '    Environment:',
      "      M:  <set to the key 'mode' of config map 'settings'>  Optional: false",
      "      S:  <set to the key 'password' in secret 'login'>     Optional: true",
    ]);
  });

  test('comes from fields of the pod, as far as its metadata tells them', () => {
    const env = [
      field('NAME', 'metadata.name'),
      field('NS', 'metadata.namespace'),
      field('UID', 'metadata.uid'),
      field('APP', "metadata.labels['app']"),
      field('NONE', "metadata.annotations['constructor']"),
      field('IP', 'status.podIP'),
    ] as V1Container['env'];
    expect(described({ ...(env === undefined ? {} : { env }) })).toEqual([
      '    Environment:',
      '      NAME:  p (v1:metadata.name)',
      '      NS:    shop (v1:metadata.namespace)',
      '      UID:   u-1 (v1:metadata.uid)',
      "      APP:   web (v1:metadata.labels['app'])",
      "      NONE:   (v1:metadata.annotations['constructor'])",
      '      IP:     (v1:status.podIP)',
    ]);
  });

  test('comes from resources', () => {
    const env = [
      resource('CPU', 'limits.cpu', '1m'),
      resource('MEMORY', 'limits.memory'),
      resource('ASKED', 'requests.cpu'),
    ] as NonNullable<V1Container['env']>;
    expect(described({ env, resources: { limits: { cpu: '250m' } } })).toEqual([
      '    Environment:',
      '      CPU:     250 (limits.cpu)',
      '      MEMORY:  node allocatable (limits.memory)',
      '      ASKED:   1 (requests.cpu)',
    ]);
  });
});
