import type { Verb } from '../verb.ts';
import { type GetOptions, getPods, verb as get } from './get.ts';

/** What docker and podman people type. */
export const verb: Verb<GetOptions> = {
  arguments: '',
  options: get.options,
  run: (context, { options }) => getPods(context, [], options),
};
