import { describe, expect, test } from 'vitest';
import { parseReference } from '../../../../src/image/reference.ts';
import { parseRegistries, sourcesOf } from '../../../../src/image/registry/registries.ts';

const DIGEST = `sha256:${'a'.repeat(64)}`;

/** Where a reference is asked for, `!` behind a place that is not verified. */
function places(toml: string, reference: string): readonly string[] {
  return sourcesOf(parseRegistries(toml, 'f'), parseReference(reference)).map(
    ({ domain, path, insecure }) => `${domain}/${path}${insecure ? '!' : ''}`,
  );
}

const mirrored = `
[[registry]]
prefix = "docker.io"
location = "docker.io"
[[registry.mirror]]
location = "mirror.example:5000/hub"
insecure = true
[[registry.mirror]]
location = "digests.example"
pull-from-mirror = "digest-only"
[[registry]]
location = "docker.io/org/secret"
blocked = true
[[registry]]
prefix = "old.example/a"
location = "new.example/b/c"
[[registry]]
prefix = "*.lab.example"
insecure = true
`;

describe('an image is asked for', () => {
  test.each([
    ['quay.io/org/app', ['quay.io/org/app']],
    ['nginx', ['mirror.example:5000/hub/library/nginx!', 'docker.io/library/nginx']],
    [
      `nginx@${DIGEST}`,
      ['mirror.example:5000/hub/library/nginx!', 'digests.example/library/nginx', 'docker.io/library/nginx'],
    ],
    ['old.example/a/x:1', ['new.example/b/c/x']],
    ['old.example/ab', ['old.example/ab']],
    ['one.lab.example:5000/x', ['one.lab.example:5000/x!']],
    ['lab.example/x', ['lab.example/x']],
  ])('%s: there', (reference, expected) => {
    expect(places(mirrored, reference)).toEqual(expected);
  });

  test('nowhere, when it is blocked', () => {
    expect(() => places(mirrored, 'org/secret/app')).toThrow('registries.conf blocks docker.io/org/secret');
    expect(places(mirrored, 'org/secrets')).toHaveLength(2);
  });
});

test.each([
  ['[[registry]', /read f: Invalid TOML|read f: /],
  ['registry = 1', 'read f: registry is no array of tables'],
  ['[[registry]]\ninsecure = true', 'read f: a registry has neither prefix nor location'],
  ['[[registry]]\nlocation = 5', 'read f: location is no text'],
  ['[[registry]]\nlocation = "a"\ninsecure = "yes"', 'read f: insecure is neither true nor false'],
  ['[[registry]]\nlocation = "a"\n[[registry.mirror]]\ninsecure = true', 'read f: a mirror of a has no location'],
  [
    '[[registry]]\nlocation = "a"\n[[registry.mirror]]\nlocation = "b"\npull-from-mirror = "some"',
    'pull-from-mirror of a: "some" is not known',
  ],
])('%j is refused', (toml, why) => {
  expect(() => parseRegistries(toml, 'f')).toThrow(why);
});

test('what is about other things is passed over', () => {
  expect(parseRegistries('unqualified-search-registries = ["docker.io"]\n[aliases]\na = "b"\n', 'f')).toEqual([]);
});
