import { expect, test } from 'vitest';
import { type TopOptions, topText } from '../../../src/cli/render/top.ts';

const plain: TopOptions = { containers: false, namespaces: false, headers: true, wide: false, sortBy: undefined };
const calm = { cpu: 0, memory: 0 };
const rows = [
  {
    namespace: 'default',
    pod: 'small',
    containers: [{ name: 'a', cpu: 3, memory: 3.9 * 2 ** 20, pressure: { cpu: undefined, memory: undefined } }],
  },
  {
    namespace: 'other',
    pod: 'large-pod',
    containers: [
      { name: 'a', cpu: 250, memory: 2 ** 20, pressure: { cpu: 12.34, memory: 0 } },
      { name: 'b', cpu: 1, memory: 2 ** 30, pressure: calm },
    ],
  },
];

test.each<[string, Partial<TopOptions>, readonly string[]]>([
  [
    'of pods, their containers added up',
    {},
    ['NAME        CPU(cores)   MEMORY(bytes)', 'small       3m           3Mi', 'large-pod   251m         1025Mi'],
  ],
  [
    'of all namespaces, most memory first',
    { namespaces: true, sortBy: 'memory', headers: false },
    ['other     large-pod   251m   1025Mi', 'default   small       3m     3Mi'],
  ],
  [
    'of containers, most CPU time first, with what waited',
    { containers: true, wide: true, sortBy: 'cpu' },
    [
      'POD         NAME   CPU(cores)   MEMORY(bytes)   CPU-PRESSURE   MEMORY-PRESSURE',
      'large-pod   a      250m         1Mi             12.3%          0.0%',
      'small       a      3m           3Mi             <unknown>      <unknown>',
      'large-pod   b      1m           1024Mi          0.0%           0.0%',
    ],
  ],
])('%s', (_, options, lines) => {
  expect(topText(rows, { ...plain, ...options })).toBe(lines.map((line) => `${line}\n`).join(''));
});
