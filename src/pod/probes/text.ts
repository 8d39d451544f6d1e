import type { ProbeHandler } from '../../manifest/pod.ts';

/** A probe's handler in one line, as kubectl describes it: `exec [cat /x]`, `http-get http://:8080/healthz`. */
export function probeText(handler: ProbeHandler): string {
  switch (handler.kind) {
    case 'exec':
      return `exec [${handler.command.join(' ')}]`;
    case 'httpGet':
      return `http-get ${handler.scheme.toLowerCase()}://${handler.host ?? ''}:${handler.port}${handler.path}`;
    case 'tcpSocket':
      return `tcp-socket ${handler.host ?? ''}:${handler.port}`;
    case 'grpc':
      return `grpc <pod>:${handler.port} ${handler.service}`;
    default:
      return handler satisfies never;
  }
}
