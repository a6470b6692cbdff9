import { expect, test } from 'vitest';
import { fitted, PAPERS, ratioText, scaleBar } from './scale';

test('a bar is a round distance that fits', () => {
  for (const metresAPixel of [0.013, 0.3, 1.7, 24, 611]) {
    const { metres, pixels } = scaleBar(metresAPixel, 140);
    expect(pixels).toBeLessThanOrEqual(140);
    expect(pixels).toBeGreaterThan(140 / 2.6);
    expect(pixels * metresAPixel).toBeCloseTo(metres);
  }
  expect(scaleBar(1.7, 140).text).toBe('200 m');
  expect(scaleBar(20, 140).text).toBe('2 km');
});

test('a map fills its paper and never leaves it', () => {
  expect(fitted(PAPERS.a4, 4)).toEqual({ width: 212, height: 53 });
  expect(fitted(PAPERS.a4, 0.5)).toEqual({ width: 85, height: 170 });
});

test('a kilometre on ten centimetres is one to ten thousand', () => {
  expect(ratioText(1000, 100)).toBe('1:10 000');
  expect(ratioText(1234, 212)).toBe('1:5 800');
});
