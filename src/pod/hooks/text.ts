import type { Handler, Pod } from '../../manifest/pod.ts';
import type { HookOutcome } from './outcome.ts';

/** A handler in one line: `exec [/bin/sh -c …]`. */
export function handlerText(handler: Handler): string {
  switch (handler.kind) {
    case 'exec':
      return `exec [${handler.command.join(' ')}]`;
    default:
      return handler.kind satisfies never;
  }
}

/** The kubelet's message of a failed handler (pkg/kubelet/lifecycle/handlers.go), shown as PostStartHookError. */
export function failureMessage(
  handler: Handler,
  where: { readonly pod: Pod; readonly uid: string; readonly container: string },
  outcome: HookOutcome,
): string {
  const target = `for Container "${where.container}" in Pod "${where.pod.name}_${where.pod.namespace}(${where.uid})"`;
  switch (handler.kind) {
    case 'exec': {
      const what = `Exec lifecycle hook ([${handler.command.join(' ')}])`;
      return `${what} ${target} failed - error: ${outcome.error}, message: ${quoted(outcome.output)}`;
    }
    default:
      return handler.kind satisfies never;
  }
}

/** Go's %q. */
export function quoted(text: string): string {
  const escaped = text.replace(/["\\\p{Cc}]/gu, (char) => {
    const short: Readonly<Record<string, string>> = {
      '"': '\\"',
      '\\': '\\\\',
      '\n': '\\n',
      '\r': '\\r',
      '\t': '\\t',
      '\u0007': '\\a',
      '\b': '\\b',
      '\f': '\\f',
      '\v': '\\v',
    };
    const code = char.codePointAt(0) ?? 0;
    return (
      short[char] ??
      (code < 0x80 ? `\\x${code.toString(16).padStart(2, '0')}` : `\\u${code.toString(16).padStart(4, '0')}`)
    );
  });
  return `"${escaped}"`;
}
