import type { Moved } from '../image/store.ts';
import { type Io, tell } from './io.ts';
import { shortId } from './render/image-row.ts';

/** A name that goes from one image to another is never moved in silence. */
export function tellMoved(io: Io, { name, from }: Moved): void {
  tell(io, `${name}: replaced, it was image ${shortId(from)}`);
}
