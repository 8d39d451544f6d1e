import { describe, expect, test } from 'vitest';
import { kernelHostname } from '../../../src/pod/hostname.ts';
import { aPod } from '../../support/pods.ts';

const { network } = aPod();
const domain = 'web.default.svc.cluster.local';

describe('the host name that the kernel is told', () => {
  test.each([
    ['the short one', { domain, hostnameAsFqdn: false }, 'h'],
    ['with the domain where the pod asks for it', { domain, hostnameAsFqdn: true }, `h.${domain}`],
    ['the short one where there is no domain', { domain: '', hostnameAsFqdn: true }, 'h'],
  ])('is %s', (_, changes, expected) => {
    expect(kernelHostname({ hostname: 'h', network: { ...network, ...changes } })).toBe(expected);
  });

  test('must not be longer than what the kernel holds', () => {
    const pod = (hostname: string) => ({ hostname, network: { ...network, domain, hostnameAsFqdn: true } });
    expect(kernelHostname(pod('h'.repeat(34)))).toHaveLength(64);
    expect(() => kernelHostname(pod('h'.repeat(35)))).toThrow(
      `failed to construct FQDN from pod hostname and cluster domain, FQDN ${'h'.repeat(35)}.${domain} is too long (64 characters is the max, 65 characters requested)`,
    );
  });
});
