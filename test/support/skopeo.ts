import { execFileSync } from 'node:child_process';

/** Runs skopeo, which knows images from others than us. */
export function skopeo(...args: readonly string[]): string {
  return execFileSync('skopeo', ['--insecure-policy', ...args], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
    maxBuffer: 1 << 26,
  });
}
