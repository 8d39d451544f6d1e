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

/** A quantity as Kubernetes prints it: `1024Mi` is `1Gi`, `0.5` is `500m` (Quantity.String). */
export function canonical(text: string): string {
  return written(nanos(text), text);
}

/** An amount in {@link nanos} in the notation of `like`: powers of 1024, of 1000, or with an exponent. */
export function written(amount: bigint, like: string): string {
  const [, , , , exponent, binary] = FORM.exec(like) ?? [];
  const sign = amount < 0n ? '-' : '';
  const size = amount < 0n ? -amount : amount;
  if (binary !== undefined && size >= 1024n * NANO) {
    const [value, power] = shortened(roundedUp(size, NANO), 1024n, BINARY.length);
    return `${sign}${value}${power === 0 ? '' : `${BINARY.charAt(power - 1)}i`}`;
  }
  if (size === 0n) return '0';
  const [value, thousands] = shortened(size, 1000n, 9);
  const power = thousands * 3 - 9;
  if (power === 0) return `${sign}${value}`;
  if (exponent !== undefined) return `${sign}${value}e${power}`;
  return `${sign}${value}${Object.keys(DECIMAL).find((suffix) => DECIMAL[suffix] === power) ?? ''}`;
}

/** Takes a factor out as often as it is in, `most` times at most. */
function shortened(value: bigint, factor: bigint, most: number): readonly [bigint, number] {
  if (most === 0 || value % factor !== 0n) return [value, 0];
  const [rest, times] = shortened(value / factor, factor, most - 1);
  return [rest, times + 1];
}

function roundedUp(amount: bigint, by: bigint): bigint {
  return amount >= 0n ? (amount + by - 1n) / by : amount / by;
}
