import { describe, expect, test } from 'vitest';
import { listenAddresses, parsePort } from '../../../src/cli/forward/ports.ts';
import { aPod } from '../../support/pods.ts';

const web = { name: 'web', containerPort: 8000, protocol: 'TCP', hostPort: 0, hostIP: '' } as const;
const pod = aPod({ containers: [{ ports: [web] }] });

describe('a port to forward', () => {
  test.each([
    ['80', 80, 80],
    ['8080:80', 8080, 80],
    [':80', 0, 80],
    ['0:80', 0, 80],
    ['web', 8000, 8000],
    ['1234:web', 1234, 8000],
  ])('%s leads from %i to %i', (text, local, remote) => {
    expect(parsePort(text, pod)).toEqual({ local, remote });
  });

  test.each([
    ['1:2:3', "invalid port format '1:2:3'"],
    ['8080:', "error parsing remote port '' of ''"],
    ['0', 'remote port must be > 0'],
    ['70000', "error parsing remote port '70000'"],
    ['x1:80', "error parsing local port 'x1' of 'x1:80'"],
    ['80:nobody', "Pod 'p' does not have a named port 'nobody'"],
  ])('%s is refused', (text, message) => {
    expect(() => parsePort(text, pod)).toThrow(message);
  });
});

test('localhost stands for both loopback addresses', () => {
  expect(listenAddresses('localhost,192.0.2.1')).toEqual([
    { host: '127.0.0.1', optional: true },
    { host: '::1', optional: true },
    { host: '192.0.2.1', optional: false },
  ]);
});
