import { expect, test } from 'vitest';
import { requireRoot } from '../../../src/cli/root.ts';

test.each([
  ['root may do anything', 'run', 0],
  ['anybody may ask for the version', 'version', 1000],
])('%s', (_name, verb, euid) => {
  expect(() => {
    requireRoot(verb, euid);
  }).not.toThrow();
});

test.each(['run', 'get', 'doctor'])('%s is refused in one sentence to others, with what to do', (verb) => {
  expect(() => {
    requireRoot(verb, 1000);
  }).toThrow(expect.objectContaining({ code: 'host.not-root', hint: `sudo minirt ${verb} …` }));
});
