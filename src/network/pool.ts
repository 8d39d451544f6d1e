import { MinirtError } from '../base/errors.ts';
import { type Subnet, parseSubnet } from './subnet.ts';

export const POOL_VARIABLE = 'MINIRT_POD_CIDR';

/** A /24 must fit in. */
const LONGEST_PREFIX = 24;

/** Where default networks take their subnets from: 10.88.0.0/16, or what the environment says. */
export function addressPool(env: NodeJS.ProcessEnv = process.env): Subnet {
  const text = env[POOL_VARIABLE] ?? '';
  const pool = parseSubnet(text === '' ? '10.88.0.0/16' : text);
  if (pool !== undefined && pool.length <= LONGEST_PREFIX) return pool;
  throw new MinirtError(
    'network.failed',
    `choose pod network: ${POOL_VARIABLE}=${text}: not an IPv4 range of /24 or more`,
    {
      hint: `for example ${POOL_VARIABLE}=172.29.0.0/16`,
    },
  );
}
