import { keepCredentials } from '../../image/registry/auth-files.ts';
import { say } from '../io.ts';
import { registryOf } from '../registry.ts';
import type { Verb } from '../verb.ts';

export const verb: Verb = {
  arguments: '[registry]',
  options: [],
  notes: "Without a registry: Docker's.",
  async run({ io }, { words }) {
    const registry = registryOf(words[0]);
    const file = await keepCredentials(io.env, registry, undefined);
    say(io, file === undefined ? `Not logged in to ${registry}` : `Removing login credentials for ${registry}`);
    return 0;
  },
};
