import { describe, expect, test } from 'vitest';
import { forbiddenChange } from '../../../src/manifest/change.ts';
import { type StoredObject, buildClaim, buildConfigMap, buildSecret } from '../../../src/manifest/objects.ts';

const map = (more: object): StoredObject => buildConfigMap({ metadata: { name: 'o' }, data: { a: '1' }, ...more });
const secret = (more: object): StoredObject => buildSecret({ metadata: { name: 'o' }, data: { a: 'MQ==' }, ...more });
const claim = (storage: string, more: object = {}): StoredObject =>
  buildClaim({
    metadata: { name: 'o' },
    spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage } }, ...more },
  });
const fixed = { immutable: true };
const forbidden = 'Forbidden: field is immutable when `immutable` is set';

describe('a change', () => {
  test.each<[string, before: StoredObject, after: StoredObject, expected: string | undefined]>([
    ['of data', map({}), map({ data: { a: '2' } }), undefined],
    ['that makes it immutable', map({}), map(fixed), undefined],
    ['of labels', map(fixed), map({ ...fixed, metadata: { name: 'o', labels: { a: 'b' } } }), undefined],
    ['of fixed data', map(fixed), map({ ...fixed, data: { a: '2' } }), `data: ${forbidden}`],
    ['of fixed bytes', map(fixed), map({ ...fixed, binaryData: { b: 'AA==' } }), `binaryData: ${forbidden}`],
    ['that makes it mutable', map(fixed), map({}), `immutable: ${forbidden}`],
    ['of a fixed Secret', secret(fixed), secret({ ...fixed, data: { a: 'Mg==' } }), `data: ${forbidden}`],
    [
      'of a type',
      secret({}),
      secret({ type: 'example.com/other' }),
      'type: Invalid value: "example.com/other": field is immutable',
    ],
    ['of a size', claim('1Gi'), claim('2Gi'), undefined],
    [
      'of a size to a smaller one',
      claim('1Gi'),
      claim('1000Mi'),
      'spec.resources.requests.storage: Forbidden: field can not be less than status.capacity',
    ],
    [
      'of what a claim asks for',
      claim('1Gi'),
      claim('1Gi', { storageClassName: 'fast' }),
      'spec: Forbidden: spec is immutable after creation except resources.requests and volumeAttributesClassName for bound claims',
    ],
  ])('%s', (_what, before, after, expected) => {
    expect(forbiddenChange(before, after)).toBe(expected);
  });
});
