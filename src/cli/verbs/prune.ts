import type { MinirtError } from '../../base/errors.ts';
import { isMinirtError } from '../../base/errors.ts';
import { openImageStore } from '../../image/store.ts';
import { forgetDeleted } from '../../supervisor/archive.ts';
import { humanSize } from '../bytes.ts';
import { podGuard } from '../image-users.ts';
import { say } from '../io.ts';
import type { Verb } from '../verb.ts';

export const verb: Verb<{ all?: boolean }> = {
  arguments: '',
  options: [{ flags: '-a, --all', text: 'all images that no pod uses, not only those without a name' }],
  notes: 'Removes images without a name, what no image needs, and what is kept of deleted pods. What a pod uses stays.',
  async run({ io, roots }, { options }) {
    for (const pod of await forgetDeleted(roots)) say(io, `Forgotten: pod ${pod}`);
    const store = openImageStore(roots.root);
    const guard = podGuard(roots, false);
    let freed = 0;
    for (const image of await store.list()) {
      if (image.names.length > 0 && options.all !== true) continue;
      try {
        const removed = await store.remove(image.digest, { names: undefined, guard }, io.signal);
        freed += removed.freed;
        for (const name of removed.names) say(io, `Untagged: ${name}`);
        say(io, `Deleted: ${image.id}`);
      } catch (error) {
        if (!isLeftAlone(error)) throw error;
      }
    }
    freed += await store.sweep(io.signal);
    say(io, `Total reclaimed space: ${humanSize(freed)}`);
    return 0;
  },
};

/** A pod uses it, or somebody else has just removed it. */
function isLeftAlone(error: unknown): error is MinirtError {
  return isMinirtError(error, 'image.in-use') || isMinirtError(error, 'image.not-found');
}
