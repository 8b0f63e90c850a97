import { expect, test } from 'vitest';
import { didYouMean, editDistance } from '../../../src/lib/text/did-you-mean.ts';

test.each([
  ['timout', 'timeout'],
  ['tiemout', 'timeout'],
  ['Transport', 'transport'],
  ['maxResultByte', 'maxResultBytes'],
])('%s was meant to be %s', (word, expected) => {
  expect(didYouMean(word, ['name', 'timeout', 'transport', 'maxResultBytes'])).toBe(expected);
});

test('a word that is near to nothing has no suggestion', () => {
  expect(didYouMean('colour', ['name', 'timeout'])).toBeUndefined();
});

test.each([
  ['', '', 0],
  ['abc', '', 3],
  ['ab', 'ba', 1],
  ['kitten', 'sitting', 3],
])('from %j to %j it takes %i edits', (a, b, edits) => {
  expect(editDistance(a, b)).toBe(edits);
});
