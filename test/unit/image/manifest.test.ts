import { describe, expect, test } from 'vitest';
import { formatConfig, hostArchitecture, parseConfig } from '../../../src/image/config.ts';
import { hexOf } from '../../../src/image/digest.ts';
import { choosePlatform, compressionOf, parseDocument } from '../../../src/image/manifest.ts';
import { chainOf } from '../../../src/image/snapshot.ts';

const digest = `sha256:${'1'.repeat(64)}`;
const docker = 'application/vnd.docker.distribution.manifest.v2+json';
const config = { mediaType: 'application/vnd.docker.container.image.v1+json', digest, size: 1 };
const layer = { mediaType: 'application/vnd.docker.image.rootfs.diff.tar.gzip', digest, size: 2 };
const bytes = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));

describe('a manifest', () => {
  test('is read in its OCI and in its Docker form', () => {
    for (const mediaType of [docker, 'application/vnd.oci.image.manifest.v1+json']) {
      const document = parseDocument(bytes({ schemaVersion: 2, mediaType, config, layers: [layer] }), mediaType);
      expect(document).toMatchObject({ kind: 'manifest', manifest: { layers: [{ digest, size: 2 }] } });
    }
  });

  test.each<[string, unknown, string | undefined, string]>([
    ['is an index, too', { config, layers: [layer], manifests: [] }, undefined, 'image.invalid'],
    [
      'says another type',
      { mediaType: docker, config, layers: [layer] },
      'application/vnd.oci.image.index.v1+json',
      'image.invalid',
    ],
    [
      'is an artifact',
      { config: { ...config, mediaType: 'application/vnd.cncf.helm.config.v1+json' }, layers: [layer] },
      undefined,
      'image.unsupported',
    ],
    [
      'has a layer packed with bzip2',
      { config, layers: [{ ...layer, mediaType: 'application/vnd.oci.image.layer.v1.tar+bzip2' }] },
      undefined,
      'image.unsupported',
    ],
    ['has no layers', { config, layers: [] }, undefined, 'image.invalid'],
    ['has 128 layers', { config, layers: Array(128).fill(layer) }, undefined, 'image.unsupported'],
    ['has a negative size', { config, layers: [{ ...layer, size: -1 }] }, undefined, 'image.invalid'],
    [
      'has a digest that is a path',
      { config, layers: [{ ...layer, digest: 'sha256:../../x' }] },
      undefined,
      'image.invalid',
    ],
    ['is a list', [], undefined, 'image.invalid'],
  ])('is refused when it %s', (_what, document, type, code) => {
    expect(() => parseDocument(bytes(document), type)).toThrow(expect.objectContaining({ code }));
  });

  test.each([
    'SHA256:',
    `sha256:${'A'.repeat(64)}`,
    `sha256:${'a'.repeat(63)}`,
    `md5:${'a'.repeat(32)}`,
    7,
    null,
    undefined,
  ])('digest %j is none', (text) => {
    expect(() => hexOf(text)).toThrow(expect.objectContaining({ code: 'image.invalid' }));
  });
});

test('the platform of this host is chosen, attestations are not', () => {
  const of = (os: string | undefined, architecture: string | undefined, size: number) => ({
    mediaType: '',
    digest,
    size,
    annotations: {},
    platform: { os, architecture },
  });
  const list = [of('unknown', 'unknown', 1), of('linux', 'other', 2), of('linux', hostArchitecture(), 3)];
  expect(choosePlatform(list).size).toBe(3);
  expect(() => choosePlatform(list.slice(0, 2))).toThrow(/for unknown\/unknown, linux\/other/);
  expect(compressionOf({ ...of(undefined, undefined, 1), mediaType: layer.mediaType })).toBe('gzip');
});

test('a config says what to run; what it lacks is empty', () => {
  const full = {
    entrypoint: ['/e'],
    cmd: ['c'],
    env: ['A=b=c'],
    workingDir: '/w',
    user: '1:2',
    stopSignal: 'SIGQUIT',
    volumes: ['/v'],
    exposedPorts: ['80/tcp'],
  };
  expect(parseConfig(formatConfig(full, { diffIds: [digest], created: '2024-01-01T00:00:00Z' })).config).toEqual(full);
  const none = {
    entrypoint: [],
    cmd: [],
    env: [],
    workingDir: '',
    user: '',
    stopSignal: undefined,
    volumes: [],
    exposedPorts: [],
  };
  expect(parseConfig(bytes({ rootfs: { diff_ids: [] } })).config).toEqual(none);
  expect(
    parseConfig(bytes({ config: { Cmd: null, Env: null, Volumes: null }, rootfs: { diff_ids: [] } })).config,
  ).toEqual(none);
});

test('layers are named by all that is below them', () => {
  const blob = { ...layer, annotations: {}, platform: undefined };
  const [first, second] = chainOf([digest, digest], [blob, blob]);
  expect(first?.chainId).toBe(digest);
  expect(second?.chainId).toMatch(/^sha256:[a-f0-9]{64}$/);
  expect(second?.chainId).not.toBe(digest);
});
