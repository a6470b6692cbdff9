import { expect, test } from 'vitest';
import { areasOf, boxOf, isInside, middleOf, parsePlace } from './geo';

const SQUARE = [[0, 0], [4, 0], [4, 4], [0, 4], [0, 0]];

test('the middle of a square is in its middle', () => {
  const middle = middleOf([[SQUARE]], 1);
  expect(middle?.at[0]).toBeCloseTo(2);
  expect(middle?.radius).toBeCloseTo(2);
});

test('the middle of an area is never in its hole', () => {
  const hole = [[1, 1], [3.5, 1], [3.5, 3], [1, 3], [1, 1]];
  const middle = middleOf([[SQUARE, hole]], 1);
  expect(middle && isInside(...middle.at, [SQUARE, hole])).toBe(true);
  expect(middle && isInside(...middle.at, [hole])).toBe(false);
});

test('where a tile cuts an area is no border of it', () => {
  // Two pieces that overlap by a tile's margin, as they come from two tiles.
  const west = [[0, 0], [2.2, 0], [2.2, 4], [0, 4], [0, 0]];
  const east = [[1.8, 0], [4, 0], [4, 4], [1.8, 4], [1.8, 0]];
  expect(middleOf([[west], [east]], 1)?.at[0]).toBeCloseTo(2);
});

test('nothing has no middle and no box', () => {
  expect(middleOf([], 1)).toBeNull();
  expect(boxOf(null)).toBeNull();
  expect(areasOf({ type: 'Point', coordinates: [1, 2] })).toEqual([]);
});

test('the box of a shape holds all of its parts', () => {
  expect(boxOf({ type: 'MultiPolygon', coordinates: [[SQUARE], [[[9, 9], [10, 9], [9, 11], [9, 9]]]] })).toEqual([0, 0, 10, 11]);
});

test('a place is read with a comma, a Chinese comma or a space, and turned where it must be', () => {
  expect(parsePlace('113.13, 27.83')).toEqual([113.13, 27.83]);
  expect(parsePlace('113.13，27.83')).toEqual([113.13, 27.83]);
  expect(parsePlace(' 27.83 113.13 ')).toEqual([113.13, 27.83]);
});

test('a code or a name is no place', () => {
  for (const text of ['43020101', '建设1号', '200,300', '1,2,3', '']) expect(parsePlace(text), text).toBeNull();
});
