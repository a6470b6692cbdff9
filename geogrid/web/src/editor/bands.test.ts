import { expect, test } from 'vitest';
import { bandLook, barOf, missed } from './bands';

const BAND = { low: 300, high: 500, is_hard: false };

test('a bar is green in the band, amber a tenth beside it and red beyond', () => {
  expect([300, 500].map((count) => bandLook(count, BAND))).toEqual(['good', 'good']);
  expect([270, 550].map((count) => bandLook(count, BAND))).toEqual(['near', 'near']);
  expect([269, 551].map((count) => bandLook(count, BAND))).toEqual(['far', 'far']);
});

test('without a band or a count nothing is judged', () => {
  expect(bandLook(10, null)).toBe('none');
  expect(bandLook(null, BAND)).toBe('none');
  expect(bandLook(10, { low: null, high: null, is_hard: false })).toBe('none');
});

test('an open band judges one side alone', () => {
  expect(bandLook(9000, { low: 300, high: null, is_hard: false })).toBe('good');
  expect(bandLook(0, { low: null, high: 500, is_hard: false })).toBe('good');
});

test('what is missed tells how many are too many or too few', () => {
  expect([250, 400, 540].map((count) => missed(count, BAND))).toEqual([-50, 0, 40]);
});

test('a bar holds its band and its count at any count', () => {
  for (const count of [0, 1, 400, 9000]) {
    const { value, low, high } = barOf(count, BAND);
    expect(value).toBeLessThanOrEqual(1);
    expect(low).toBeLessThan(high);
    expect(high).toBeLessThanOrEqual(1);
  }
  expect(barOf(0, { low: null, high: null, is_hard: false }).value).toBe(0);
});
