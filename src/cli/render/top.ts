import type { ContainerUsage } from '../../pod/usage.ts';
import { table } from './columns.ts';

export interface TopRow {
  readonly namespace: string;
  readonly pod: string;
  readonly containers: readonly ContainerUsage[];
}

export interface TopOptions {
  /** A row for each container. */
  readonly containers: boolean;
  readonly namespaces: boolean;
  readonly headers: boolean;
  readonly wide: boolean;
  readonly sortBy: 'cpu' | 'memory' | undefined;
}

interface Line {
  readonly cells: readonly string[];
  readonly cpu: number;
  readonly memory: number;
  readonly waits: readonly string[];
}

/** The table of `kubectl top pod`; wide: with what waited for CPU time and for memory, of the last ten seconds. */
export function topText(rows: readonly TopRow[], options: TopOptions): string {
  const { containers, namespaces, wide, headers, sortBy } = options;
  const heading = [
    ...(namespaces ? ['NAMESPACE'] : []),
    ...(containers ? ['POD', 'NAME'] : ['NAME']),
    ...['CPU(cores)', 'MEMORY(bytes)'],
    ...(wide ? ['CPU-PRESSURE', 'MEMORY-PRESSURE'] : []),
  ];
  const lines = rows.flatMap((row) => {
    const start = [...(namespaces ? [row.namespace] : []), row.pod];
    if (!containers) return [line(start, row.containers)];
    return row.containers.map((one) => line([...start, one.name], [one]));
  });
  const sorted = sortBy === undefined ? lines : lines.toSorted((a, b) => b[sortBy] - a[sortBy]);
  return table(
    headers ? heading : undefined,
    sorted.map(({ cells, cpu, memory, waits }) => {
      return [...cells, `${cpu}m`, `${Math.trunc(memory / 2 ** 20)}Mi`, ...(wide ? waits : [])];
    }),
  );
}

function line(cells: readonly string[], containers: readonly ContainerUsage[]): Line {
  const worst = (of: 'cpu' | 'memory'): string => {
    const known = containers.flatMap(({ pressure }) => pressure[of] ?? []);
    return known.length === 0 ? '<unknown>' : `${Math.max(...known).toFixed(1)}%`;
  };
  return {
    cells,
    cpu: containers.reduce((sum, one) => sum + one.cpu, 0),
    memory: containers.reduce((sum, one) => sum + one.memory, 0),
    waits: [worst('cpu'), worst('memory')],
  };
}
