import { MinirtError } from '../base/errors.ts';

const ASSIGNMENT = /^[ \t]*([^\s=#'][^\s=]*)='([^']*)'[ \t]*(?:#[^\n]*)?(?:\n|$)/;
const NOTHING = /^[ \t]*(?:#[^\n]*)?(?:\n|$)/;

/**
 * The variables in a file of lines `KEY='value'`, which may go on over several lines; lines that are empty or begin with
 * `#` say nothing (KEP-3721). Of a key that comes twice the last one counts.
 * @throws MinirtError config.missing for anything else, with its line but not its text, which may be secret
 */
export function parseEnvFile(text: string): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  const whole = text.replaceAll('\r\n', '\n');
  for (let at = 0; at < whole.length;) {
    const rest = whole.slice(at);
    const assignment = ASSIGNMENT.exec(rest);
    const [taken] = assignment ?? NOTHING.exec(rest) ?? [];
    if (taken === undefined) {
      const line = whole.slice(0, at).split('\n').length;
      throw new MinirtError('config.missing', `couldn't parse env file: line ${line} is not KEY='value'`);
    }
    if (assignment !== null) found.set(assignment[1] ?? '', assignment[2] ?? '');
    at += taken.length;
  }
  return found;
}
