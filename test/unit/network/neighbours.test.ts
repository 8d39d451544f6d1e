import { describe, expect, test } from 'vitest';
import { withNeighbours } from '../../../src/network/neighbours.ts';

const a = { name: 'a', namespace: 'default', ip: '10.0.0.1' };
const b = { name: 'b', namespace: 'other', ip: '10.0.0.2' };
const own = { namespace: 'default' };
const base = '127.0.0.1\tlocalhost\n10.0.0.9\tme\n';

describe('the others on a network', () => {
  const knowing = withNeighbours(base, own, [b, a]);

  test('stand at the end of /etc/hosts, those of the same namespace by their short names too', () => {
    expect(knowing).toBe(
      `${base}# Pods on the same network (kept by minirt).\n10.0.0.1\ta\ta.default\n10.0.0.2\tb.other\n` +
        '# End of pods on the same network.\n',
    );
  });

  test('come and go, and what a container wrote stays', () => {
    expect(withNeighbours(knowing, own, [b, a])).toBe(knowing);
    expect(withNeighbours(knowing, own, [])).toBe(base);
    expect(withNeighbours(`${knowing}1.2.3.4 mine\n`, own, [])).toBe(`${base}1.2.3.4 mine\n`);
    expect(withNeighbours('no end of line', own, [])).toBe('no end of line');
  });

  test('are written anew when a container has spoiled the marks', () => {
    const spoiled = knowing.replace('# End', '# end');
    expect(withNeighbours(spoiled, own, [a]).startsWith(spoiled)).toBe(true);
    expect(withNeighbours('', own, [a]).split('\n')).toHaveLength(4);
  });
});
