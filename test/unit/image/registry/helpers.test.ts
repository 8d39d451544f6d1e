import { expect, test } from 'vitest';
import { helperFor } from '../../../../src/image/registry/helpers.ts';

const docker = { domain: 'docker.io', key: 'https://index.docker.io/v1/' };

test.each([
  [{}, undefined],
  [{ credsStore: 'desktop' }, { name: 'desktop', key: docker.key }],
  [
    { credsStore: 'desktop', credHelpers: { 'docker.io': 'own' } },
    { name: 'own', key: 'docker.io' },
  ],
  [{ credHelpers: { [docker.key]: 'own' } }, { name: 'own', key: docker.key }],
  [{ credHelpers: { 'ghcr.io': 'other' } }, undefined],
])('%j names a helper for Docker', (config, expected) => {
  expect(helperFor(config, docker, 'f')).toEqual(expected);
});

test('a config that is none is refused', () => {
  expect(() => helperFor({ credHelpers: 'x' }, docker, 'f')).toThrow('read f: credHelpers: not an object');
});
