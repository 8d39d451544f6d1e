import { openImageStore } from '../../image/store.ts';
import { listPods } from '../../pod/view.ts';
import { asJson } from '../render/document.ts';
import { layOut } from '../render/columns.ts';
import type { Verb } from '../verb.ts';
import { versionText } from '../version.ts';

export const verb: Verb<{ output?: 'json' }> = {
  arguments: '',
  options: [{ flags: '-o, --output <format>', text: 'json', choices: ['json'] }],
  async run({ io, roots }, { options }) {
    const pods = await listPods(roots, undefined);
    const running = pods.filter((view) => view.record.ended === undefined).length;
    const images = await openImageStore(roots.root).list();
    const facts = {
      version: versionText(),
      root: roots.root,
      state: roots.state,
      logs: roots.logs,
      pods: { running, ended: pods.length - running },
      images: images.length,
    };
    if (options.output === 'json') {
      io.stdout.write(asJson(facts));
      return 0;
    }
    const lines = [
      ['Version:', facts.version],
      ['Images and bulky data:', roots.root],
      ['State:', roots.state],
      ['Container logs:', roots.logs],
      ['Pods:', `${running} running, ${facts.pods.ended} ended`],
      ['Images:', String(facts.images)],
    ];
    io.stdout.write(layOut(lines.map((cells) => cells.join('\t'))));
    return 0;
  },
};
