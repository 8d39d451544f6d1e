import { openImageStore } from '../../image/store.ts';
import { say } from '../io.ts';
import { table } from '../render/columns.ts';
import { asJson } from '../render/document.ts';
import type { Verb } from '../verb.ts';

export const verb: Verb = {
  arguments: '',
  options: [],
  async run() {
    void [openImageStore, say, table, asJson];
    return 0;
  },
};
