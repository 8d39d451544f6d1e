import type { Pod } from '../../manifest/pod.ts';
import { usage } from '../verb.ts';

export interface ForwardedPort {
  /** 0: any that is free. */
  readonly local: number;
  readonly remote: number;
}

/** `80`, `8080:80`, `:80`; the remote one may be a container port's name (kubectl port-forward: splitPort, SplitPort). */
export function parsePort(text: string, pod: Pick<Pod, 'name' | 'containers'>): ForwardedPort {
  const parts = text.split(':');
  if (parts.length > 2) throw usage(`invalid port format '${text}'`);
  const [first = '', second = first] = parts;
  const remote = remotePort(second, pod);
  return { remote, local: parts.length === 1 ? remote : first === '' ? 0 : number(first, 'local', text) };
}

function remotePort(text: string, { name, containers }: Pick<Pod, 'name' | 'containers'>): number {
  if (!/[a-z]/i.test(text)) {
    const port = number(text, 'remote', text);
    if (port > 0) return port;
    throw usage('remote port must be > 0');
  }
  const named = containers.flatMap(({ ports }) => ports).find((port) => port.name === text);
  if (named === undefined) throw usage(`Pod '${name}' does not have a named port '${text}'`);
  return named.containerPort;
}

function number(text: string, side: 'local' | 'remote', whole: string): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (value <= 65535) return value;
  throw usage(`error parsing ${side} port '${text}' of '${whole}': not a number from 0 to 65535`);
}

/** The addresses to listen on: `localhost` stands for both loopback addresses, and either will do. */
export function listenAddresses(text: string): readonly { readonly host: string; readonly optional: boolean }[] {
  return text.split(',').flatMap((address): readonly { readonly host: string; readonly optional: boolean }[] => {
    if (address !== 'localhost') return [{ host: address, optional: false }];
    return ['127.0.0.1', '::1'].map((host) => ({ host, optional: true }));
  });
}
