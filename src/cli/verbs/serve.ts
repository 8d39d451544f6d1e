import { serve } from '../../supervisor/server.ts';
import { type Verb, notYet } from '../verb.ts';

export const verb: Verb<{ onDemand?: boolean; manifests?: string }> = {
  arguments: '',
  options: [
    { flags: '--on-demand', text: 'go when there is nothing to do', hidden: true },
    { flags: '--manifests <dir>', text: 'not yet supported', hidden: true },
  ],
  notes: 'Owns all detached pods of --state until SIGINT or SIGTERM; the pods run on, for the next supervisor.',
  async run(context, { options }) {
    if (options.manifests !== undefined) throw notYet('--manifests');
    const { io, roots } = context;
    // Being asked to go is the ordinary end of a supervisor, which then lets go of its pods in order.
    const stop = io.onInterrupt(() => undefined);
    try {
      await serve(roots, { onDemand: options.onDemand === true, log: await context.log(), signal: io.signal });
    } finally {
      stop();
    }
    return 0;
  },
};
