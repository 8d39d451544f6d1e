import { expect, test } from 'vitest';
import { allCapabilities, capabilityMask, defaultCapabilities } from '../../../src/container/capabilities.ts';
import { helperFailed } from '../../../src/helper/process.ts';
import { encodeFrame, encodePlan } from '../../../src/helper/plan.ts';

test('a plan is its version, its operations and its end, every word ended by NUL', () => {
  expect(encodePlan([['hostname', 'ä'], ['terminal']]).toString()).toBe('minirt-plan 1\0hostname\0ä\0terminal\0end\0');
});

test('a word with NUL would become two: it is refused', () => {
  expect(() => encodePlan([['arg', 'a\0uid\u00000']])).toThrow(expect.objectContaining({ code: 'internal' }));
});

test('a frame starts with its length in bytes', () => {
  expect(encodeFrame(['signal', '15'])).toEqual(Buffer.from('\x0a\0\0\0signal\x0015\0'));
});

test("capabilities are bits in the kernel's order", () => {
  expect(capabilityMask(defaultCapabilities)).toBe(0xa80425fbn);
  expect(capabilityMask(allCapabilities)).toBe(0x1ffffffffffn);
  expect(() => capabilityMask(['CAP_MOON'])).toThrow(expect.objectContaining({ code: 'host.unsupported' }));
});

test.each([
  [
    'its own words',
    '{"event":"failed","stage":"mounts","errno":13,"what":"bind /a","t":"1","wall":1}\n',
    { stage: 'mounts', errno: 13, errnoName: 'EACCES', what: 'bind /a' },
  ],
  ['no words', '', { code: null, signal: 'SIGKILL' }],
])('a helper that failed with %s', (_name, output, details) => {
  const error = helperFailed('monitor', output, { code: null, signal: 'SIGKILL' });
  expect(error).toMatchObject({ code: 'helper.failed', details });
});

test('a kernel without overlayfs is told as such, with what to do', () => {
  const output = '{"event":"failed","stage":"rootfs","errno":19,"what":"overlay on /r/layers","t":"1","wall":1}\n';
  expect(helperFailed('monitor', output, { code: 1, signal: null })).toMatchObject({
    code: 'host.no-overlay',
    message: 'mount overlay on /r/layers: the kernel has no overlayfs',
    hint: 'modprobe overlay',
    details: { stage: 'rootfs', errnoName: 'ENODEV' },
  });
});
