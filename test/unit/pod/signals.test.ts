import { describe, expect, test } from 'vitest';
import { signalName, signalNumber } from '../../../src/pod/signals.ts';

describe('the number of a signal', () => {
  test.each([
    [undefined, 15],
    ['', 15],
    ['SIGTERM', 15],
    ['quit', 3],
    ['3', 3],
    ['64', 64],
    ['SIGUSR1', 10],
    ['SIGCHLD', 17],
    ['SIGCLD', 17],
    ['SIGIOT', 6],
    ['SIGPOLL', 29],
    ['SIGSTKFLT', 16],
    ['SIGPWR', 30],
    ['SIGRTMIN', 34],
    ['SIGRTMIN+1', 35],
    ['SIGRTMIN+15', 49],
    ['SIGRTMAX-14', 50],
    ['SIGRTMAX-1', 63],
    ['RTMAX', 64],
  ])('%s is %i', (name, number) => {
    expect(signalNumber(name)).toBe(number);
  });

  test.each(
    (
      'ABRT ALRM BUS CHLD CLD CONT FPE HUP ILL INT IO IOT KILL PIPE POLL PROF PWR QUIT SEGV STKFLT STOP SYS TERM TRAP ' +
      'TSTP TTIN TTOU URG USR1 USR2 VTALRM WINCH XCPU XFSZ'
    ).split(' '),
  )('is known for SIG%s, which a manifest may name', (name) => {
    const number = signalNumber(`SIG${name}`);
    expect(number).toBeGreaterThan(0);
    expect(number).toBeLessThan(32);
  });

  test.each(['SIGNOPE', '0', '65', '-9', 'SIGRTMIN-1', 'SIGRTMAX+1', 'SIGRTMIN+31', 'SIGRTMAX-31', 'toString', 'SIG'])(
    '%s is refused',
    (name) => {
      expect(() => signalNumber(name)).toThrow(`stop signal: ${name}: there is no such signal`);
    },
  );
});

test.each([
  [15, 'SIGTERM'],
  [6, 'SIGABRT'],
  [35, '35'],
])('%i is called %s', (number, name) => {
  expect(signalName(number)).toBe(name);
});
