import { expect, test } from 'vitest';
import { requireNode } from '../../../src/cli/node.ts';

test.each([
  ['the oldest that will do', 'run', '20.19.0'],
  ['a newer one', 'run', '24.1.0'],
  ['too old for a pod, but not for the version', 'version', '18.20.4'],
  ['too old for a pod, but not to be told so with the rest', 'doctor', '18.20.4'],
])('Node may be %s', (_name, verb, version) => {
  expect(() => {
    requireNode(verb, version);
  }).not.toThrow();
});

test.each(['18.20.4', '20.18.3'])('Node %s is refused in one sentence, with what to do', (version) => {
  expect(() => {
    requireNode('run', version);
  }).toThrow(
    expect.objectContaining({
      code: 'host.unsupported',
      message: `run minirt run: Node v${version} is too old`,
      hint: 'install Node 20.19 or newer; a newer one of your own (nvm) is found with: sudo env "PATH=$PATH" minirt run …',
    }),
  );
});
