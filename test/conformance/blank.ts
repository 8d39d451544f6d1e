import { sights } from './sights.ts';

const UUID = /[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}/g;
const RUN_ID = /\b[0-9a-f]{64}\b/g;
const ADDRESS = /(?:::ffff:)?\b\d{1,3}(?:\.\d{1,3}){3}\b/g;
const PEER_PORT = /(<ip>\]?):\d{5}\b/g;
const DATED_FOLDER = /\.\.\d{4}_\d\d_\d\d_\d\d_\d\d_\d\d\.\d+/g;
/** A line of `ls -l`, by itself or through awk: the group's name is the image's, the date is that of the run. */
const LISTED = /^([-bcdlps][-rwxsStT]{9}(?: +\d+)? root) +(?:root|0) +(\d+)(?: [A-Z][a-z]{2} +\d+ [\d:]{4,5})?/gm;

/** Blanks what is different in every run, as the recordings were blanked. */
export function blanked(text: string): string {
  return sights(text)
    .replaceAll(UUID, '<uid>')
    .replaceAll(RUN_ID, '<id>')
    .replaceAll(ADDRESS, '<ip>')
    .replaceAll(PEER_PORT, '$1:<port>')
    .replaceAll(DATED_FOLDER, '..<time>')
    .replaceAll(LISTED, '$1 <group> $2');
}

/** A text that the runtime made up, not the kubelet: only its end, after the last `exec:`, means something. */
const RUNTIME_TEXT = /failed to create containerd task|OCI runtime exec failed/;

export function isRuntimeText(text: string): boolean {
  return RUNTIME_TEXT.test(text);
}

/** Whether `seen` says what the node said; minirt may say more after it. */
export function saysAtLeast(seen: string, recorded: string): boolean {
  const ours = blanked(seen);
  const theirs = blanked(recorded);
  if (!isRuntimeText(theirs)) return ours.startsWith(theirs);
  return afterExec(ours).startsWith(afterExec(theirs));
}

/** Whether both texts say the same and nothing else. */
export function saysTheSame(seen: string, recorded: string): boolean {
  const ours = blanked(seen);
  const theirs = blanked(recorded);
  return isRuntimeText(theirs) ? afterExec(ours) === afterExec(theirs) : ours === theirs;
}

function afterExec(text: string): string {
  const at = text.lastIndexOf('exec:');
  return at < 0 ? `no exec: in ${text}` : text.slice(at);
}
