import { expect, test } from 'vitest';
import { didYouMean, editDistance } from '../../../src/lib/text/did-you-mean.ts';

test.each([
  ['timout', 'timeout'],
  ['tiemout', 'timeout'],
  ['Transport', 'transport'],
  ['maxResultByte', 'maxResultBytes'],
])('%s is corrected to %s', (word, expected) => {
  expect(didYouMean(word, ['name', 'timeout', 'transport', 'maxResultBytes'])).toBe(expected);
});

test('a word without a near candidate has no suggestion', () => {
  expect(didYouMean('colour', ['name', 'timeout'])).toBeUndefined();
});

test.each([
  ['', '', 0],
  ['abc', '', 3],
  ['ab', 'ba', 1],
  ['kitten', 'sitting', 3],
])('%j and %j are %i edits apart', (a, b, edits) => {
  expect(editDistance(a, b)).toBe(edits);
});
