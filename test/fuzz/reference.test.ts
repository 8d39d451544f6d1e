import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isMinirtError } from '../../src/base/errors.ts';
import { formatReference, normaliseReference, parseReference } from '../../src/image/reference.ts';

const digest = `sha256:${'a'.repeat(64)}`;

describe('a reference', () => {
  test.each([
    ['nginx', 'docker.io/library/nginx:latest'],
    ['nginx:latest', 'docker.io/library/nginx:latest'],
    ['docker.io/nginx', 'docker.io/library/nginx:latest'],
    ['docker.io/library/nginx:latest', 'docker.io/library/nginx:latest'],
    ['index.docker.io/library/nginx', 'docker.io/library/nginx:latest'],
    ['user/app', 'docker.io/user/app:latest'],
    ['user/app/deep:1', 'docker.io/user/app/deep:1'],
    ['quay.io/org/app:v1.2', 'quay.io/org/app:v1.2'],
    ['localhost/app', 'localhost/app:latest'],
    ['localhost:5000/app', 'localhost:5000/app:latest'],
    ['myhost/app', 'docker.io/myhost/app:latest'],
    ['MyHost/app', 'MyHost/app:latest'],
    ['host:5000/a/b:t', 'host:5000/a/b:t'],
    ['[::1]:5000/app', '[::1]:5000/app:latest'],
    ['a__b/c-d--e.f_g', 'docker.io/a__b/c-d--e.f_g:latest'],
    [`nginx@${digest}`, `docker.io/library/nginx@${digest}`],
    [`nginx:1.27@${digest}`, `docker.io/library/nginx:1.27@${digest}`],
  ])('%s is %s', (text, full) => {
    expect(normaliseReference(text)).toBe(full);
  });

  test.each([
    '', ':tag', '@', 'Nginx', 'nginx:', 'nginx:tag with blank', 'nginx:-x', `nginx:${'t'.repeat(129)}`, 'a//b', '/nginx', 'nginx/', 'a___b', '-a', 'a-',
    'host:port/app', 'nginx@sha256:short', `nginx@SHA256:${'a'.repeat(64)}`, `nginx@sha256:${'A'.repeat(64)}`, 'a'.repeat(256), 'a'.repeat(64),
    '../../etc', 'a/../b', 'nginx\0', 'nginx\n', ' nginx', 'ng*nx', 'http://nginx',
  ])('%j is refused', (text) => {
    expect(() => parseReference(text)).toThrow(expect.objectContaining({ code: 'reference.invalid' }));
  }); // prettier-ignore
});

test('any text is a reference that normalises to itself, or is refused by code', () => {
  const alphabet = fc.constantFrom(...'abz019AZ._-/:@[]% \0é'.split(''), 'sha256:', 'docker.io/', 'localhost', digest);
  fc.assert(
    fc.property(fc.array(alphabet, { maxLength: 20 }), (parts) => {
      const text = parts.join('');
      try {
        const once = parseReference(text);
        expect(parseReference(formatReference(once))).toEqual(once);
        // A tag may hold two dots; it never stands alone in a path.
        expect(`${once.domain}/${once.path}`).not.toMatch(/\.\.|\/\/|\0| /);
      } catch (error) {
        if (!isMinirtError(error, 'reference.invalid')) throw error;
      }
    }),
    { numRuns: 5000 },
  );
});
