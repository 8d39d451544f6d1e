import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { canonical, divided, nanos, units, written } from '../../../src/manifest/quantity.ts';

describe('a quantity', () => {
  test.each<[string, bigint]>([
    ['0', 0n],
    ['1', 1_000_000_000n],
    ['250m', 250_000_000n],
    ['1.5', 1_500_000_000n],
    ['.5', 500_000_000n],
    ['5.', 5_000_000_000n],
    ['1e3', 1_000_000_000_000n],
    ['1E3', 1_000_000_000_000n],
    ['2E-3', 2_000_000n],
    ['3u', 3_000n],
    ['7n', 7n],
    ['1k', 1_000_000_000_000n],
    ['1Ki', 1_024_000_000_000n],
    ['1.5Gi', 1_610_612_736_000_000_000n],
    ['1Ei', 1_152_921_504_606_846_976_000_000_000n],
    ['1E', 1_000_000_000_000_000_000_000_000_000n],
    ['+2', 2_000_000_000n],
    ['-2', -2_000_000_000n],
    ['0.0000000001', 1n],
  ])('%s', (text, expected) => {
    expect(nanos(text)).toBe(expected);
  });

  test('is not made of anything else', () => {
    expect(() => nanos('lots')).toThrow('not a quantity: lots');
  });

  test('with a suffix is what it is with an exponent', () => {
    fc.assert(
      fc.property(
        fc.nat(),
        fc.constantFrom(['m', -3], ['k', 3], ['M', 6], ['G', 9], ['T', 12]),
        (count, [suffix, power]) => {
          expect(nanos(`${count}${suffix}`)).toBe(nanos(`${count}e${power}`));
        },
      ),
    );
  });
});

describe('divided', () => {
  test.each<[string, string, string]>([
    ['250m', '1m', '250'],
    ['250m', '1', '1'],
    ['64Mi', '1Mi', '64'],
    ['64Mi', '1', '67108864'],
    ['1001', '1k', '2'],
    ['3', '0', '3'],
    ['0', '1Mi', '0'],
  ])('%s by %s is %s', (amount, divisor, expected) => {
    expect(divided(nanos(amount), divisor)).toBe(expected);
  });

  test('is rounded up, and never by a whole one', () => {
    fc.assert(
      fc.property(fc.nat(), fc.constantFrom('1', '1k', '1Ki', '1M'), (count, divisor) => {
        const times = BigInt(divided(units(count), divisor));
        expect(times * nanos(divisor)).toBeGreaterThanOrEqual(units(count));
        expect((times - 1n) * nanos(divisor)).toBeLessThan(units(count));
      }),
    );
  });
});

describe('as Kubernetes prints it', () => {
  test.each([
    ['0', '0'],
    ['0Mi', '0'],
    ['0.5', '500m'],
    ['1000m', '1'],
    ['1500m', '1500m'],
    ['1000', '1k'],
    ['1500', '1500'],
    ['0.1m', '100u'],
    ['64Mi', '64Mi'],
    ['1024Mi', '1Gi'],
    ['1.5Gi', '1536Mi'],
    ['0.5Ki', '512'],
    ['1e3', '1e3'],
    ['100e4', '1e6'],
    ['5e-3', '5e-3'],
    ['-2048Ki', '-2Mi'],
    ['+3', '3'],
  ])('%s is %s', (text, expected) => {
    expect(canonical(text)).toBe(expected);
  });

  test('it is the same amount, and as short as it gets', () => {
    fc.assert(
      fc.property(fc.nat(), fc.constantFrom('', 'm', 'k', 'M', 'Ki', 'Mi', 'Gi', 'e3'), (count, suffix) => {
        const text = `${count}${suffix}`;
        expect(nanos(canonical(text))).toBe(nanos(text));
        expect(canonical(canonical(text))).toBe(canonical(text));
      }),
    );
  });

  test('a sum is written as what was summed', () => {
    expect(written(nanos('1Gi') + nanos('1Gi'), '1Gi')).toBe('2Gi');
    expect(written(nanos('1') + nanos('500m'), '500m')).toBe('1500m');
  });
});
