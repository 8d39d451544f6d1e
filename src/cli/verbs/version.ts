import { asJson, asYaml } from '../render/document.ts';
import { say } from '../io.ts';
import type { Verb } from '../verb.ts';
import { versionText } from '../version.ts';

export const verb: Verb<{ output?: 'json' | 'yaml' }> = {
  arguments: '',
  options: [{ flags: '-o, --output <format>', text: 'form of the output', choices: ['json', 'yaml'] }],
  async run({ io }, { options }) {
    const facts = { minirt: versionText(), node: process.version, platform: `${process.platform}/${process.arch}` };
    if (options.output === 'json') io.stdout.write(asJson(facts));
    else if (options.output === 'yaml') io.stdout.write(await asYaml(facts));
    else say(io, `minirt ${facts.minirt} (node ${facts.node}, ${facts.platform})`);
    return 0;
  },
};
