import { describe, expect, test } from 'vitest';
import { credentialsFor, parseAuths, parsePair } from '../../../../src/image/registry/credentials.ts';
import { parseReference } from '../../../../src/image/reference.ts';

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const auths = (document: unknown, form: 'config' | 'dockercfg' = 'config'): ReturnType<typeof parseAuths> =>
  parseAuths(Buffer.from(JSON.stringify(document)), 'config.json', form);
const password = (username: string): unknown => ({ kind: 'password', username, password: 'p' });

describe('credentials', () => {
  test.each<[string, unknown, unknown]>([
    ['as Docker writes them', { auth: base64('a:p') }, password('a')],
    ['with a colon in the password', { auth: base64('a:p:q') }, { kind: 'password', username: 'a', password: 'p:q' }],
    ['in plain words', { username: 'a', password: 'p' }, password('a')],
    ['as an identity token', { auth: base64('a:'), identitytoken: 't' }, { kind: 'identity', token: 't' }],
  ])('are read %s', (_what, entry, expected) => {
    expect(auths({ auths: { 'a.io': entry } })).toEqual([{ key: 'a.io', credentials: expected }]);
    expect(auths({ 'a.io': entry }, 'dockercfg')).toEqual([{ key: 'a.io', credentials: expected }]);
  });

  test.each([{}, { auths: {} }, { auths: { 'a.io': {} } }, { credsStore: 'desktop' }])(
    'may be none: %j',
    (document) => {
      expect(auths(document)).toEqual([]);
    },
  );

  test.each([{ auths: 5 }, { auths: { 'a.io': 'x' } }, { auths: { 'a.io': { auth: 5 } } }])(
    'are refused: %j',
    (document) => {
      expect(() => auths(document)).toThrow(expect.objectContaining({ code: 'image.invalid' }));
    },
  );

  test.each<[string, readonly string[], readonly string[]]>([
    ['nginx', ['https://index.docker.io/v1/', 'quay.io'], ['https://index.docker.io/v1/']],
    ['nginx', ['docker.io'], ['docker.io']],
    ['quay.io/org/app', ['quay.io', 'quay.io/org', 'quay.io/other'], ['quay.io/org', 'quay.io']],
    ['quay.io/organ/app', ['quay.io/org'], []],
    ['quay.io:443/org/app', ['quay.io'], []],
    ['a.io/x', ['https://a.io', 'http://a.io/v2/'], ['https://a.io', 'http://a.io/v2/']],
    ['evil-quay.io/x', ['quay.io'], []],
  ])('for %s out of %j are those of %j', (reference, keys, expected) => {
    const known = auths({ auths: Object.fromEntries(keys.map((key) => [key, { username: key, password: 'p' }])) });
    const found = credentialsFor(known, parseReference(reference));
    expect(found.map((one) => (one.kind === 'password' ? one.username : ''))).toEqual(expected);
  });

  test.each([
    ['a:b', { kind: 'password', username: 'a', password: 'b' }],
    [':b', undefined],
    ['a', undefined],
  ])('of a pair %s', (text, expected) => {
    expect(parsePair(text)).toEqual(expected);
  });
});
