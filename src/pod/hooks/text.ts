import type { Handler, Pod, TcpSocketAction } from '../../manifest/pod.ts';
import type { HookOutcome } from './outcome.ts';

/** A handler in one line: `exec [/bin/sh -c …]`, `httpGet http://:8080/bye`, `sleep 5 s`. */
export function handlerText(handler: Handler): string {
  switch (handler.kind) {
    case 'exec':
      return `exec [${handler.command.join(' ')}]`;
    case 'httpGet':
      return `httpGet ${handler.scheme.toLowerCase()}://${handler.host ?? ''}:${handler.port}${handler.path}`;
    case 'sleep':
      return `sleep ${handler.seconds} s`;
    case 'tcpSocket':
      return `tcpSocket ${handler.host ?? ''}:${handler.port}`;
    default:
      return handler satisfies never;
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
    case 'httpGet':
      return `HTTP lifecycle hook (${handler.path}) ${target} failed - error: ${outcome.error}`;
    case 'sleep':
      return `Sleep lifecycle hook (${handler.seconds}) ${target} failed - error: ${outcome.error}`;
    case 'tcpSocket':
      return `Cannot run handler: ${outcome.error}`;
    default:
      return handler satisfies never;
  }
}

/** The kubelet has no tcpSocket hooks: it accepts them, and fails when they are run, with Go's print of the handler. */
export function invalidHandler({ host = '', port }: TcpSocketAction): HookOutcome {
  const value = typeof port === 'number' ? `{0 ${port} }` : `{1 0 ${port}}`;
  const socket = `&TCPSocketAction{Port:${value},Host:${host},}`;
  const error = `invalid handler: &LifecycleHandler{Exec:nil,HTTPGet:nil,TCPSocket:${socket},Sleep:nil,}`;
  const detail = 'tcpSocket is not a kind of hook: use exec, httpGet or sleep';
  return { ok: false, exitCode: undefined, error, output: '', detail };
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
