import { describe, expect, test } from 'vitest';
import { imageRows } from '../../../src/cli/render/image-row.ts';
import { bringImage } from '../../../src/cli/run/prepare.ts';
import { parseImageConfig } from '../../../src/cli/verbs/import.ts';
import type { Image } from '../../../src/image/store.ts';

const image = {
  id: `sha256:${'1c22d5851c08'.padEnd(64, '0')}`,
  created: '2026-11-22T22:56:00Z',
  size: 4_300_000,
  source: 'recipe',
};
const row = (...names: string[]) =>
  imageRows({ ...image, names } as unknown as Image, new Date('2026-11-22T22:57:00Z'));
const rest = ['1c22d5851c08', '60s ago', '4.3MB', 'recipe'];

test.each<[names: string[], rows: string[][]]>([
  [['docker.io/library/busybox:latest'], [['busybox', 'latest', ...rest]]],
  [
    ['docker.io/me/app:1', 'localhost:5000/app:2'],
    [
      ['me/app', '1', ...rest],
      ['localhost:5000/app', '2', ...rest],
    ],
  ],
  [[], [['<none>', '<none>', ...rest]]],
])('the rows of %j', (names, rows) => {
  expect(row(...names)).toEqual(rows);
});

test.each([
  ['nginx', /--recipe nginx/],
  ['docker.io/library/nginx:latest', /--recipe nginx/],
  ['library/busybox', /--recipe busybox/],
  ['nginx:1.25', /docker save nginx:1\.25 \| minirt load/],
  ['me/nginx', /docker save me\/nginx/],
])('what brings %s', (name, line) => {
  expect(bringImage(name)).toMatch(line);
});

describe('--config', () => {
  test('is read as in an OCI config', () => {
    const text = '{"Entrypoint": ["/app"], "User": "1:2", "ExposedPorts": {"80/tcp": {}}, "StopSignal": "SIGQUIT"}';
    expect(parseImageConfig(text)).toEqual({
      entrypoint: ['/app'],
      user: '1:2',
      exposedPorts: ['80/tcp'],
      stopSignal: 'SIGQUIT',
    });
  });
  test.each([
    ['nonsense', /not JSON/],
    ['[]', /not an object/],
    ['{"Frob": 1}', /Frob is not known/],
    ['{"Cmd": "sh"}', /Cmd must be a list of strings/],
    ['{"User": 5}', /User must be a string/],
  ])('%s is refused', (text, message) => {
    expect(() => parseImageConfig(text)).toThrow(message);
  });
});
