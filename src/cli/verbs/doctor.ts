import { type Check, type Leak, diagnose, fixLeaks } from '../../doctor/index.ts';
import { EXIT } from '../exit-code.ts';
import { say } from '../io.ts';
import { asJson } from '../render/document.ts';
import type { Verb } from '../verb.ts';

export const verb: Verb<{ fix?: boolean; output?: 'json' }> = {
  arguments: '',
  options: [
    { flags: '--fix', text: 'remove what was left behind' },
    { flags: '-o, --output <format>', text: 'json', choices: ['json'] },
  ],
  notes: 'Ends with 1 when something is missing, or was left behind and not removed.',
  async run({ io, roots }, { options }) {
    const { checks, leaks } = await diagnose(roots);
    const fixes = options.fix === true ? await fixLeaks(leaks) : [];
    const failed = fixes.filter(({ error }) => error !== undefined);
    const left = options.fix === true ? failed.map(({ leak }) => leak) : leaks;
    if (options.output === 'json') io.stdout.write(asJson({ checks, leaks, fixed: leaks.length - left.length }));
    else {
      for (const check of checks) say(io, checkLine(check));
      say(io, leaks.length === 0 ? 'nothing was left behind' : `left behind by pods that are gone: ${leaks.length}`);
      for (const leak of leaks) say(io, leakLine(leak));
      for (const { error } of failed) if (error !== undefined) say(io, `could not ${error.message}`);
      if (options.fix === true && leaks.length > 0) say(io, `removed: ${leaks.length - left.length}`);
      else if (leaks.length > 0) say(io, 'hint: `minirt doctor --fix` removes them');
    }
    return checks.every(({ ok }) => ok) && left.length === 0 ? EXIT.ok : EXIT.failed;
  },
};

function checkLine({ ok, name, detail, hint }: Check): string {
  return `${ok ? 'ok     ' : 'MISSING'}  ${name}: ${detail}${ok || hint === undefined ? '' : ` — ${hint}`}`;
}

function leakLine({ kind, what, pod, detail }: Leak): string {
  return `  ${kind} ${what}${pod === undefined ? '' : ` of pod ${pod}`}: ${detail}`;
}
