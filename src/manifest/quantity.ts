/** Kubernetes' quantities (apimachinery pkg/api/resource), counted in thousand-millionths. Pure. */

const NANO = 1_000_000_000n;
const FORM = /^([+-]?)(\d*)(?:\.(\d*))?(?:[eE]([-+]?\d{1,3})|([KMGTPE]i)|([numkMGTPE]))?$/;
const DECIMAL: Readonly<Record<string, number>> = { n: -9, u: -6, m: -3, k: 3, M: 6, G: 9, T: 12, P: 15, E: 18 };
const BINARY = 'KMGTPE';

/** Whether a text is a quantity. */
export function isQuantity(text: string): boolean {
  return /\d/.test(text) && FORM.test(text);
}

/** Nano-units of a quantity that was checked; parts of one are rounded away from zero, as Kubernetes does. */
export function nanos(text: string): bigint {
  const [, sign, whole = '', fraction = '', exponent, binary, suffix] = FORM.exec(text) ?? [];
  if (sign === undefined) throw new RangeError(`not a quantity: ${text}`);
  const power = Number(exponent ?? 0) + (suffix === undefined ? 0 : (DECIMAL[suffix] ?? 0)) - fraction.length + 9;
  const factor = binary === undefined ? 1n : 1024n ** BigInt(BINARY.indexOf(binary.charAt(0)) + 1);
  const digits = BigInt(`${whole}${fraction}` || '0') * factor;
  const size = power >= 0 ? digits * 10n ** BigInt(power) : roundedUp(digits, 10n ** BigInt(-power));
  return sign === '-' ? -size : size;
}

/** How often `divisor` is in `amount`, rounded up (pkg/api/v1/resource: convertResourceCPUToString and its like). */
export function divided(amount: bigint, divisor: string): string {
  const by = nanos(divisor);
  return String(roundedUp(amount, by === 0n ? NANO : by));
}

/** A whole number of units, in {@link nanos}. */
export function units(count: number): bigint {
  return BigInt(count) * NANO;
}

function roundedUp(amount: bigint, by: bigint): bigint {
  return amount >= 0n ? (amount + by - 1n) / by : amount / by;
}
