import { pino, destination, type Logger } from 'pino';

export type { Logger };

export interface LogOptions {
  readonly level: string;
  readonly format: 'pretty' | 'json';
}

/**
 * The developer's log: synchronous, on stderr, so that the last lines survive an exit. Users read events and errors,
 * not this.
 */
export function createLogger(options: LogOptions): Logger {
  const out = destination({ fd: 2, sync: true });
  if (options.format === 'json') return pino({ level: options.level, base: null }, out);
  const write = (line: string): void => {
    const { level, time, msg, ...rest } = JSON.parse(line) as Record<string, unknown>;
    const facts = Object.keys(rest).length > 0 ? ` ${JSON.stringify(rest)}` : '';
    out.write(
      `${new Date(Number(time)).toISOString()} ${pino.levels.labels[Number(level)] ?? ''} ${String(msg)}${facts}\n`,
    );
  };
  return pino({ level: options.level, base: null }, { write });
}

/** A logger that says nothing, for callers that have no one to tell. */
export function silentLogger(): Logger {
  return pino({ level: 'silent' });
}
