import type { JournalEntry } from '../../pod/journal-entry.ts';
import { inSeconds } from './duration.ts';
import { codeText, hookText } from './ending.ts';
import { hookOutput } from './hook-lines.ts';
import { probeFailureText } from './probe-text.ts';

type StateEntry = Extract<JournalEntry, { kind: 'state' }>;
type ProbeEntry = Extract<JournalEntry, { kind: 'probe' }>;

/** A failed probe is told with what it printed; the event would say the same again. */
const TOLD_BY_PROBES: ReadonlySet<string> = new Set(['Unhealthy', 'ProbeWarning']);

/** A pod's life as `run` tells it on stderr: what happened, and what hooks printed. */
export class Progress {
  readonly #states = new Map<string, StateEntry>();

  /** Lines about one more entry; empty for what people need not see. */
  text(entry: JournalEntry): string {
    const output =
      entry.kind === 'hook-end' ? hookOutput(entry, { timestamps: false, since: undefined, mark: true }) : '';
    const line = entry.kind === 'state' ? this.#readiness(entry) : lineOf(entry);
    return `${output.toString()}${line === undefined ? '' : `${line}\n`}`;
  }

  /** A container that runs and becomes ready or unready; being ready from the start goes without saying. */
  #readiness(entry: StateEntry): string | undefined {
    const before = this.#states.get(entry.container);
    this.#states.set(entry.container, entry);
    if (entry.state !== 'running' || before?.state !== 'running' || before.ready === entry.ready) return undefined;
    return before.restartCount === entry.restartCount
      ? `${entry.container}: ${entry.ready ? 'ready' : 'not ready'}`
      : undefined;
  }
}

function lineOf(entry: JournalEntry): string | undefined {
  switch (entry.kind) {
    case 'event':
      if (TOLD_BY_PROBES.has(entry.reason)) return undefined;
      return `${prefix(entry.container)}${entry.reason}: ${entry.message}`;
    case 'hook-start':
      return `${prefix(entry.container)}${entry.hook} begins: ${oneLine(entry.handler)}`;
    case 'hook-end':
      return `${prefix(entry.container)}${hookText(entry)}`;
    case 'probe':
      return `${prefix(entry.container)}${probeLine(entry)}`;
    case 'signal':
      return `${prefix(entry.container)}${entry.signal}${entry.why === 'deadline' ? ': the grace period is over' : ''}`;
    case 'exit':
      return `${prefix(entry.container)}exited ${codeText(entry)}`;
    case 'note':
      return `${prefix(entry.container)}${entry.text}`;
    case 'terminate':
      return entry.now ? 'killing everything now' : `terminating, grace period ${entry.grace} s`;
    case 'ended':
      return `pod ended: ${entry.phase}`;
    case 'dropped':
    case 'state':
    case 'phase':
      return undefined;
    default:
      return entry satisfies never;
  }
}

/** `liveness probe exec exit 1 in 0.0 s: no such file`. */
function probeLine(entry: ProbeEntry): string {
  if (entry.outcome === 'success') return `${entry.probe} probe ok again in ${inSeconds(entry.seconds)}`;
  const output = oneLine(entry.output.trim()).slice(0, MOST_OUTPUT);
  return `${entry.probe} probe ${probeFailureText(entry)}${output === '' ? '' : `: ${output}`}`;
}

/** Characters of a probe's output in its line. */
const MOST_OUTPUT = 200;

function prefix(container: string | undefined): string {
  return container === undefined ? '' : `${container}: `;
}

function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ');
}
