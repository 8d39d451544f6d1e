/**
 * For tests that belong to one kind of host: where that kind is not at hand they do not exist, rather than being skipped,
 * and one line says so. What a test can make for itself does not belong here.
 */
export function isHost(is: boolean, kind: string, tests: string): boolean {
  if (!is) process.stderr.write(`not of this host, only of ${kind}: ${tests}\n`);
  return is;
}
