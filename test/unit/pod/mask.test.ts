import { Buffer } from 'node:buffer';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { buildSecret } from '../../../src/manifest/objects.ts';
import { maskFor, maskOf } from '../../../src/pod/mask.ts';
import { aContainer, aPod } from '../../support/pods.ts';

const base64 = (text: string): string => Buffer.from(text).toString('base64');

describe('a mask', () => {
  const mask = maskFor([base64('hunter2hunter2'), base64('short'), base64('first line\nno\nsecond line\n')]);

  test.each([
    ['a value', 'user:hunter2hunter2@db', 'user:***@db'],
    ['all of them', 'hunter2hunter2 hunter2hunter2', '*** ***'],
    ['its base64', `x ${base64('hunter2hunter2')} y`, 'x *** y'],
    ['its base64 without the padding', base64('hunter2hunter2').replace(/=+$/, ''), '***'],
    ['a line of it', 'got "second line"', 'got "***"'],
    ['nothing of a short one', 'short no', 'short no'],
  ])('hides %s', (_, text, expected) => {
    expect(mask(text)).toBe(expected);
  });

  test('leaves nothing of any value behind', () => {
    fc.assert(
      fc.property(
        fc.array(fc.string({ minLength: 8 }), { minLength: 1, maxLength: 3 }),
        fc.string(),
        (values, around) => {
          fc.pre(values.every((value) => !/[*\n]/.test(value)));
          const masked = maskFor(values.map(base64))(values.map((value) => `${around}${value}`).join(' '));
          fc.pre(!values.some((value) => around.includes(value)));
          expect(masked.split('***').length).toBeGreaterThan(1);
        },
      ),
    );
  });
});

describe('of a pod', () => {
  const secret = buildSecret({ stringData: { password: 'correct horse' } });
  const asked: string[] = [];
  const nothing = (): Promise<readonly string[]> => Promise.resolve([]);
  const source = {
    configMap: () => Promise.resolve(undefined),
    secret: (_: string, name: string) => Promise.resolve((asked.push(name), name === 'gone' ? undefined : secret)),
  };
  const pod = aPod({
    containers: [
      aContainer({
        name: 'a',
        env: [{ name: 'P', from: { kind: 'secretKey', object: 's', key: 'password', optional: false } }],
      }),
      aContainer({ name: 'b', envFrom: [{ kind: 'secret', object: 'gone', prefix: '', optional: true }] }),
    ],
  });

  test('it knows the Secrets that any container refers to', async () => {
    expect((await maskOf(pod, source, nothing))('say correct horse')).toBe('say ***');
    expect(asked).toEqual(['s', 'gone']);
  });

  test('it knows the values that a container got before they changed', async () => {
    const before = (): Promise<readonly string[]> =>
      Promise.resolve([Buffer.from('battery staple').toString('base64')]);
    expect((await maskOf(pod, source, before))('say correct horse, battery staple')).toBe('say ***, ***');
  });

  test('it knows the Secrets in its volumes', async () => {
    const sources = [{ kind: 'secret', object: 's', items: [], optional: false } as const];
    const volumes = [{ kind: 'projected', name: 'v', sources, defaultMode: 0o644 } as const];
    expect((await maskOf({ ...aPod(), volumes }, source, nothing))('say correct horse')).toBe('say ***');
  });

  test('it hides nothing where the manifest says so', async () => {
    expect((await maskOf({ ...pod, masksSecrets: false }, source, nothing))('say correct horse')).toBe(
      'say correct horse',
    );
  });
});
