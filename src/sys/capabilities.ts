import { readFileSync } from 'node:fs';

/** The capabilities that this process has, as a bit mask in the kernel's order. */
export function ownCapabilities(status: string = readFileSync('/proc/self/status', 'utf8')): bigint {
  return BigInt(`0x${/^CapPrm:\s*([0-9a-f]+)$/m.exec(status)?.[1] ?? '0'}`);
}
