import type { JournalEntry } from '../../pod/journal-entry.ts';
import { parseCriLine } from '../log/cri.ts';
import { LogPrinter } from '../log/printer.ts';

export interface HookLineOptions {
  readonly timestamps: boolean;
  readonly since: number | undefined;
}

/** What a hook printed, each line marked `[app postStart] `; empty for all other entries and silent hooks. */
export function hookOutput(entry: JournalEntry, options: HookLineOptions): Buffer {
  if (entry.kind !== 'hook-end') return Buffer.alloc(0);
  const prefix = `[${entry.container} ${entry.hook}] `;
  const printer = new LogPrinter({ ...options, prefix });
  const parts = entry.output
    .split('\n')
    .map((line) => parseCriLine(Buffer.from(line)))
    .filter((line) => line !== undefined)
    .map((line) => printer.print(line));
  const cut = entry.truncated ? [Buffer.from(`${prefix}(the rest of its output was not kept)\n`)] : [];
  return Buffer.concat([...parts, printer.end(), ...cut]);
}
