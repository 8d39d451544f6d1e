import { Buffer } from 'node:buffer';
import { describe, expect, test } from 'vitest';
import { type ConfigMap, type Secret, buildConfigMap, buildSecret } from '../../../src/manifest/objects.ts';
import type { Container, EnvSource } from '../../../src/manifest/pod.ts';
import { type EnvFacts, declaredEnv, objectsOfEnv, podField, resourceValue } from '../../../src/pod/env.ts';
import { aContainer, aPod } from '../../support/pods.ts';

const map = buildConfigMap({ metadata: { name: 'm' }, data: { a: '1', b: 'two\n' }, binaryData: { bin: 'AAEC' } });
const secret = buildSecret({ metadata: { name: 's' }, stringData: { b: 'ß', user: 'root' } });
const node = { name: 'host', ip: '192.0.2.1', cpus: 2, memory: 4 * 1024 ** 3, storage: 10 * 1024 ** 3 };
const facts: EnvFacts = {
  pod: { ...aPod(), labels: { app: 'web' }, annotations: { 'a/b': 'x"y\n' } },
  uid: 'u-1',
  ip: '10.0.0.2',
  node,
  configMaps: new Map([['m', map]]),
  secrets: new Map([['s', secret]]),
  files: new Map([['v/d/x.env', "A='1'\nB='two\nlines'\n"]]),
};

function of(container: Partial<Container>, changes: Partial<EnvFacts> = {}): Record<string, string> {
  const env = declaredEnv(aContainer(container), { ...facts, ...changes });
  return Object.fromEntries(env.map(({ name, value }) => [name, value]));
}

const from = (kind: 'configMap' | 'secret', object: string, more: object = {}) => ({
  kind,
  object,
  prefix: '',
  optional: false,
  ...more,
});
const key = (kind: 'configMapKey' | 'secretKey', object: string, name: string, optional = false): EnvSource => ({
  kind,
  object,
  key: name,
  optional,
});

describe('the variables of a container', () => {
  test('are those of objects, the later over the earlier, and its own over them', () => {
    const envFrom = [from('configMap', 'm', { prefix: 'P_' }), from('configMap', 'm'), from('secret', 's')];
    const env = [
      { name: 'a', value: '$(a)-$(P_a)-$(user)-$(bin)' },
      { name: 'c', value: '$(a)' },
    ];
    const expected = { P_a: '1', P_b: 'two\n', a: '1-1-root-$(bin)', b: 'ß', user: 'root', c: '1-1-root-$(bin)' };
    expect(of({ envFrom, env })).toEqual(expected);
  });

  test('are values of keys as they are, never expanded', () => {
    const configMaps = new Map<string, ConfigMap>([['m', buildConfigMap({ data: { a: '$(X)' } })]]);
    const env = [
      { name: 'X', value: 'x' },
      { name: 'Y', from: key('configMapKey', 'm', 'a') },
    ];
    expect(of({ env }, { configMaps })).toEqual({ X: 'x', Y: '$(X)' });
  });

  test('are not there when what they come from is optional and missing', () => {
    const env = [
      { name: 'A', from: key('configMapKey', 'none', 'a', true) },
      { name: 'B', from: key('secretKey', 's', 'none', true) },
      { name: 'C', value: '$(A)' },
    ];
    expect(of({ env, envFrom: [from('secret', 'none', { optional: true })] })).toEqual({ C: '$(A)' });
  });

  test.each<[Partial<Container>, string]>([
    [{ envFrom: [from('configMap', 'none')] }, 'configmap "none" not found'],
    [{ envFrom: [from('secret', 'none')] }, 'secret "none" not found'],
    [{ env: [{ name: 'A', from: key('configMapKey', 'none', 'a') }] }, 'configmap "none" not found'],
    [{ env: [{ name: 'A', from: key('secretKey', 'none', 'a') }] }, 'secret "none" not found'],
    [{ env: [{ name: 'A', from: key('configMapKey', 'm', 'z') }] }, "couldn't find key z in ConfigMap default/m"],
    [{ env: [{ name: 'A', from: key('configMapKey', 'm', 'bin') }] }, "couldn't find key bin in ConfigMap default/m"],
    [
      { env: [{ name: 'A', from: key('secretKey', 's', '__proto__') }] },
      "couldn't find key __proto__ in Secret default/s",
    ],
  ])('%j: %s', (container, message) => {
    expect(() => of(container)).toThrow(expect.objectContaining({ code: 'config.missing', message }) as Error);
  });

  test('name the objects they need, and no others', async () => {
    const asked: string[] = [];
    const source = {
      configMap: (_: string, name: string) => Promise.resolve((asked.push(`m ${name}`), undefined)),
      secret: (_: string, name: string): Promise<Secret> => Promise.resolve((asked.push(`s ${name}`), secret)),
    };
    const env = [
      { name: 'A', from: key('secretKey', 's', 'b') },
      { name: 'B', from: { kind: 'field', path: 'metadata.name' } as const },
    ];
    const found = await objectsOfEnv(aContainer({ envFrom: [from('configMap', 'm')], env }), 'default', source);
    expect(asked).toEqual(['m m', 's s']);
    expect([...found.configMaps.keys(), ...found.secrets.keys()]).toEqual(['s']);
  });
});

test.each([
  ['metadata.name', 'p'],
  ['metadata.namespace', 'default'],
  ['metadata.uid', 'u-1'],
  ["metadata.labels['app']", 'web'],
  ["metadata.labels['none']", ''],
  ["metadata.annotations['a/b']", 'x"y\n'],
  ["metadata.labels['constructor']", ''],
  ['metadata.annotations', 'a/b="x\\"y\\n"'],
  ['metadata.labels', 'app="web"'],
  ['spec.nodeName', 'host'],
  ['spec.serviceAccountName', 'default'],
  ['status.hostIP', '192.0.2.1'],
  ['status.podIPs', '10.0.0.2'],
])('the field %s is %j', (path, expected) => {
  expect(podField(path, facts)).toBe(expected);
});

describe('a line of a file that a container left', () => {
  const line = (path: string, name: string, optional = false): Partial<Container> => ({
    env: [{ name: 'V', from: { kind: 'fileKey', volume: 'v', path, key: name, optional } }],
  });

  test('is a variable, and not expanded', () => {
    expect(of(line('d/x.env', 'B'))).toEqual({ V: 'two\nlines' });
    expect(of(line('d/x.env', 'B'), { files: new Map([['v/d/x.env', "B='$(A)'"]]) })).toEqual({ V: '$(A)' });
  });

  test.each([
    ['a', 'A', 'file a of volume v is not there'],
    ['d/x.env', 'C', "couldn't find key C in file d/x.env of volume v"],
  ])('must be there: %s %s', (path, name, message) => {
    expect(() => of(line(path, name))).toThrow(message);
    expect(of(line(path, name, true))).toEqual({});
  });
});

test.each([
  ['limits.cpu', '1m', '250'],
  ['limits.cpu', '1', '1'],
  ['requests.cpu', '1m', '250'],
  ['requests.memory', '1Mi', '32'],
  ['limits.memory', '1Mi', '4096'],
  ['limits.ephemeral-storage', '1Gi', '10'],
  ['requests.ephemeral-storage', '1', '0'],
  ['limits.hugepages-2Mi', '1Mi', '4'],
  ['limits.hugepages-1Gi', '1', '0'],
])('the resource %s in units of %s is %s', (resource, divisor, expected) => {
  const resources = { limits: { cpu: '250m', 'hugepages-2Mi': '4Mi' }, requests: { memory: '32Mi' } };
  expect(resourceValue({ resources }, { resource, divisor }, node)).toBe(expected);
});

test('a key may hold any bytes, of which text is made', () => {
  const data = { raw: Buffer.from([0x61, 0xff]).toString('base64') };
  const secrets = new Map<string, Secret>([['s', buildSecret({ data })]]);
  expect(of({ env: [{ name: 'A', from: key('secretKey', 's', 'raw') }] }, { secrets })).toEqual({ A: 'a\ufffd' });
});
