import { type FileHandle, open } from 'node:fs/promises';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { MinirtError, isMinirtError, messageOf } from '../base/errors.ts';
import { dial } from '../helper/dial.ts';
import { onHost } from './hostname.ts';
import type { PodView } from './view.ts';

/** A way into the network namespace of a pod, which stays open as long as this is. */
export class PodDialer implements AsyncDisposable {
  readonly #netns: FileHandle | undefined;

  private constructor(netns: FileHandle | undefined) {
    this.#netns = netns;
  }

  /** @throws MinirtError pod.not-running when the pod has no network (any more) */
  static async open({ name, pod, paths }: PodView): Promise<PodDialer> {
    if (onHost(pod)) return new PodDialer(undefined);
    try {
      return new PodDialer(await open(join(paths.namespaces, 'net')));
    } catch (cause) {
      throw new MinirtError('pod.not-running', `enter network of pod: ${name}: ${messageOf(cause)}`, { cause });
    }
  }

  /**
   * Carries a connection to a port of the pod's loopback, until it is over.
   * @throws MinirtError network.failed when nobody listens there
   */
  async dial(connection: Socket, port: number, signal: AbortSignal): Promise<void> {
    try {
      await dial(connection, { netns: this.#netns?.fd, port, signal });
    } catch (error) {
      if (!isMinirtError(error, 'helper.failed')) throw error;
      const why = error.details['errnoName'] === 'ECONNREFUSED' ? 'connection refused' : messageOf(error);
      throw new MinirtError('network.failed', `failed to connect to localhost:${port} inside the pod: ${why}`, {
        cause: error,
      });
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#netns?.close();
  }
}
