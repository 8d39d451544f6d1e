import { ensureRecipe } from '../../image/recipe.ts';
import { type Moved, openImageStore } from '../../image/store.ts';
import { say, tell } from '../io.ts';
import { tellMoved } from '../moved.ts';
import { type LimitFlags, limitOptions, limitsOf } from '../limits.ts';
import { type Context, type Verb, usage } from '../verb.ts';

interface Options extends LimitFlags {
  readonly input?: string;
  readonly recipe?: string;
  readonly quiet?: boolean;
}

export const verb: Verb<Options> = {
  arguments: '',
  options: [
    { flags: '-i, --input <file>', text: 'a tar file or a folder, instead of stdin' },
    { flags: '--recipe <name>', text: 'make an image that ships as a recipe: busybox, nginx or probe' },
    { flags: '-q, --quiet', text: 'only the names' },
    ...limitOptions,
  ],
  notes:
    'Takes an OCI layout (folder or tar) and `docker save` archives, gzip and zstd too: `docker save app | minirt load`.',
  async run(context, { options }) {
    const { io } = context;
    if (options.recipe !== undefined) {
      if (options.input !== undefined) throw usage('a recipe needs no -i');
      if (options.quiet !== true) tell(io, `making ${options.recipe} by its recipe; this may take a minute`);
    }
    for (const name of await load(context, options)) say(io, name);
    return 0;
  },
};

async function load({ io, roots }: Context, options: Options): Promise<readonly string[]> {
  const { input, recipe } = options;
  const how = { limits: limitsOf(options), moved: (moved: Moved) => tellMoved(io, moved) };
  const store = openImageStore(roots.root);
  if (recipe !== undefined) return (await ensureRecipe(store, recipe, io.signal)).names;
  if (input !== undefined && input !== '-') return store.load({ path: input }, io.signal, how);
  if (io.stdin.isTTY)
    throw usage('stdin is a terminal: nothing to load', '`minirt load -i FILE`, or pipe an archive in');
  return store.load({ stream: io.stdin }, io.signal, how);
}
