import { type MinirtError, isMinirtError, messageOf } from '../base/errors.ts';

export interface FailureStyle {
  readonly json: boolean;
  readonly stack: boolean;
}

/** What stderr says about an error: `error[code]: message` and the hint, or one JSON document. */
export function renderFailure(error: unknown, style: FailureStyle): string {
  const stack = style.stack && error instanceof Error ? stackOf(error) : undefined;
  if (style.json) {
    const { code, message, hint, details } = parts(error);
    return `${JSON.stringify({ error: { code, message, hint, details, stack } })}\n`;
  }
  const { code, message, hint } = parts(error);
  const lines = [`error[${code}]: ${message}`];
  if (hint !== undefined) lines.push(`hint: ${hint}`);
  if (stack !== undefined) lines.push(stack);
  return `${lines.join('\n')}\n`;
}

function parts(error: unknown): Pick<MinirtError, 'code' | 'message' | 'hint'> & { details?: unknown } {
  if (!isMinirtError(error)) {
    const hint = 'this is a bug in minirt; `--log-level debug` shows where';
    return { code: 'internal', message: messageOf(error), hint };
  }
  const { code, message, hint, details } = error;
  return Object.keys(details).length > 0 ? { code, message, hint, details } : { code, message, hint };
}

function stackOf(error: Error): string {
  const causes: string[] = [];
  for (let one: unknown = error; one instanceof Error && causes.length < 10; one = one.cause) {
    causes.push(one.stack ?? String(one));
  }
  return causes.join('\ncaused by: ');
}
