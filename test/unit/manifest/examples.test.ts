import { readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { formatProblem, parseManifest } from '../../../src/manifest/parse.ts';

const read = (url: string, file: string): string =>
  readFileSync(fileURLToPath(new URL(`../../../${url}/${file}`, import.meta.url)), 'utf8');
const list = (url: string, end: string): readonly string[] =>
  readdirSync(fileURLToPath(new URL(`../../../${url}`, import.meta.url))).filter((name) => name.endsWith(end));

describe('the examples', () => {
  const examples = list('examples', '.yaml');

  test.each(examples)('%s is a pod without a problem or a notice', (file) => {
    const { pods, problems, notices } = parseManifest(read('examples', file), { file, validate: 'strict' });
    expect(problems.map(formatProblem)).toEqual([]);
    expect(notices).toEqual([]);
    expect(pods.map((pod) => pod.name)).toEqual([
      file === 'lifecycle-events.yaml' ? 'lifecycle-demo' : file.replace('.yaml', ''),
    ]);
  });

  test.each(examples.filter((file) => file !== 'lifecycle-events.yaml'))('%s says what to watch', (file) => {
    expect(read('examples', file)).toMatch(/^#.*\n(#.*\n)*# Watch: /);
  });

  test('include the Kubernetes tutorial, word for word', () => {
    const { pods } = parseManifest(read('examples', 'lifecycle-events.yaml'), { file: 'f', validate: 'strict' });
    const handler = (command: readonly string[]): unknown => ({ kind: 'exec', command });
    expect(pods[0]?.containers).toMatchObject([
      {
        name: 'lifecycle-demo-container',
        image: 'nginx',
        postStart: handler(['/bin/sh', '-c', 'echo Hello from the postStart handler > /usr/share/message']),
        preStop: handler(['/usr/sbin/nginx', '-s', 'quit']),
      },
    ]);
  });
});

describe('the manifests that a real node ran', () => {
  const recordings = list('test/conformance/recordings', '.json');

  test('are there', () => {
    expect(recordings.length).toBeGreaterThan(0);
  });

  test.each(recordings)('%s is read, or refused only for what is not built yet', (file) => {
    const { pod } = JSON.parse(read('test/conformance/recordings', file)) as { readonly pod: unknown };
    const { pods, problems } = parseManifest(JSON.stringify(pod), { file, validate: 'strict' });
    expect(problems.filter(({ message }) => message !== 'not yet supported').map(formatProblem)).toEqual([]);
    expect(pods.length).toBe(problems.length === 0 ? 1 : 0);
  });
});
