import type { JournalEntry } from '../../pod/journal-entry.ts';
import { type CriEntry, parseCriLine } from '../../base/cri.ts';
import { LogPrinter } from '../log/printer.ts';

export interface HookLineOptions {
  readonly timestamps: boolean;
  readonly since: number | undefined;
  /** Whether each line says whose it is. */
  readonly mark: boolean;
}

/**
 * What a hook or a failed probe printed, each line marked `[app postStart] `; empty for all other entries and for those
 * that were silent.
 */
export function hookOutput(entry: JournalEntry, { timestamps, since, mark }: HookLineOptions): Buffer {
  const printed = printedBy(entry);
  if (printed === undefined) return Buffer.alloc(0);
  const prefix = mark ? `[${printed.who}] ` : '';
  const printer = new LogPrinter({ timestamps, since, prefix });
  const parts = printed.lines.map((line) => printer.print(line));
  const cut = printed.truncated ? [Buffer.from(`${prefix}(the rest of its output was not kept)\n`)] : [];
  return Buffer.concat([...parts, printer.end(), ...cut]);
}

interface Printed {
  readonly who: string;
  readonly lines: readonly CriEntry[];
  readonly truncated: boolean;
}

function printedBy(entry: JournalEntry): Printed | undefined {
  if (entry.kind === 'hook-end') {
    const lines = entry.output.split('\n').map((line) => parseCriLine(Buffer.from(line)));
    const who = `${entry.container} ${entry.hook}`;
    return { who, lines: lines.filter((line) => line !== undefined), truncated: entry.truncated };
  }
  if (entry.kind !== 'probe' || entry.outcome === 'success') return undefined;
  // Text as it was printed or answered: the time is that of the whole.
  const texts = entry.output.replace(/\n$/, '').split('\n');
  const lines = (entry.output === '' ? [] : texts).map((text): CriEntry => ({
    time: entry.wall,
    stream: 'stdout',
    partial: false,
    content: Buffer.from(text),
  }));
  return { who: `${entry.container} ${entry.probe}`, lines, truncated: entry.truncated };
}
