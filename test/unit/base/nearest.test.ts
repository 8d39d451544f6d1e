import { expect, test } from 'vitest';
import { nearest } from '../../../src/base/nearest.ts';

const verbs = ['run', 'get', 'exec', 'logs', 'delete', 'describe'];

test.each<[word: string, close: string | undefined, any: string | undefined]>([
  ['dlete', 'delete', 'delete'],
  ['gte', 'get', 'get'],
  ['log', 'logs', 'logs'],
  ['excec', 'exec', 'exec'],
  ['LOGS', 'logs', 'logs'],
  ['descri', 'describe', 'describe'],
  ['dele', undefined, 'delete'],
  ['del', undefined, 'delete'],
  ['zzzzzz', undefined, undefined],
])('nearest to %s is %s, or %s if anything will do', (word, close, any) => {
  expect(nearest(word, verbs)).toBe(close);
  expect(nearest(word, verbs, 'any')).toBe(any);
});
