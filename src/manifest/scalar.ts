export type ScalarValue = string | number | boolean | null;

const words: ReadonlyMap<string, ScalarValue> = new Map<string, ScalarValue>([
  ...['', '~', 'null', 'Null', 'NULL'].map((word) => [word, null] as const),
  ...['y', 'Y', 'yes', 'Yes', 'YES', 'true', 'True', 'TRUE', 'on', 'On', 'ON'].map((word) => [word, true] as const),
  ...['n', 'N', 'no', 'No', 'NO', 'false', 'False', 'FALSE', 'off', 'Off', 'OFF'].map((word) => [word, false] as const),
]);

/**
 * What an unquoted word of YAML means to kubectl: go-yaml v2's resolve(), which is YAML 1.1 without sexagesimals and
 * with dates as strings. (The YAML 1.2 of most libraries would take `yes` for a string and `010` for ten.)
 */
export function resolvePlain(word: string): ScalarValue {
  const named = words.get(word);
  if (named !== undefined) return named;
  if (!/^[-+.0-9]/.test(word)) return word;
  const digits = word.replaceAll('_', '');
  return integer(digits) ?? float(digits) ?? word;
}

function integer(digits: string): number | undefined {
  const match = /^([-+]?)(?:0b([01]+)|0x([0-9a-f]+)|0o?([0-7]+)|([1-9][0-9]*|0))$/i.exec(digits);
  if (match === null) return undefined;
  const [, sign, binary, hex, octal, decimal] = match;
  const size =
    binary !== undefined
      ? Number.parseInt(binary, 2)
      : hex !== undefined
        ? Number.parseInt(hex, 16)
        : octal !== undefined
          ? Number.parseInt(octal, 8)
          : Number(decimal);
  return sign === '-' && size !== 0 ? -size : size;
}

function float(word: string): number | undefined {
  return /^[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?$/.test(word) ? Number(word) : undefined;
}
