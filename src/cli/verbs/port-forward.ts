import type { Socket } from 'node:net';
import { MinirtError, messageOf } from '../../base/errors.ts';
import { PodDialer } from '../../pod/forward.ts';
import { findPod } from '../../pod/view.ts';
import { podPhase } from '../../pod/phase.ts';
import { type Listener, listenOn } from '../forward/listen.ts';
import { listenAddresses, parsePort } from '../forward/ports.ts';
import { say, tell } from '../io.ts';
import { podEntries } from '../stream.ts';
import { type Verb, usage } from '../verb.ts';
import { podName } from '../words.ts';

interface Options {
  readonly address?: string;
}

export const verb: Verb<Options> = {
  arguments: '<pod> <port...>',
  options: [{ flags: '--address <list>', text: 'addresses to listen on, with commas between them (localhost)' }],
  notes: [
    'PORT is a port of the pod, LOCAL:PORT, or :PORT for any that is free here; a name of one of its ports will do. The',
    'connection comes from within the pod, so that servers hear it which listen on 127.0.0.1 only. Ends with Ctrl-C.',
  ].join('\n'),
  async run(context, { words, options }) {
    const { io, roots, namespace } = context;
    const [word = '', ...texts] = words;
    if (texts.length === 0)
      throw usage('at least 1 PORT is required for port-forward', 'minirt port-forward web 8080:80');
    const view = await findPod(roots, namespace, podName(word));
    const ports = texts.map((text) => parsePort(text, view.pod));
    const phase = podPhase(view.pod, view.record);
    if (phase !== 'Running') {
      const why = `unable to forward port because pod is not running. Current status=${phase}`;
      throw new MinirtError('pod.not-running', why);
    }
    await using dialer = await PodDialer.open(view);
    const over = new AbortController();
    const open = new Set<Promise<void>>();
    const connect = (remote: number) => (connection: Socket, local: number) => {
      say(io, `Handling connection for ${local}`);
      const carried = dialer.dial(connection, remote, over.signal).catch((error: unknown) => {
        tell(io, `an error occurred forwarding ${local} -> ${remote}: ${messageOf(error)}`);
      });
      open.add(carried);
      void carried.finally(() => open.delete(carried));
    };
    const listeners: Listener[] = [];
    try {
      for (const port of ports) {
        const made = await listenOn(listenAddresses(options.address ?? 'localhost'), port, connect(port.remote));
        listeners.push(...made);
        for (const { at } of made) say(io, `Forwarding from ${at} -> ${port.remote}`);
      }
      for await (const entry of podEntries(context, view, Number.MAX_SAFE_INTEGER)) void entry;
    } finally {
      for (const { server } of listeners) server.close();
      over.abort();
      await Promise.all(open);
    }
    throw new MinirtError('pod.not-running', 'lost connection to pod');
  },
};
