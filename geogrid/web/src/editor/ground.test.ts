import { expect, test } from 'vitest';
import { isNearEnough } from './ground';

test('a small plan is edited as a whole, a large one only where few cells are seen and large enough', () => {
  expect(isNearEnough({ cells: 80, share: 1, pixels: 400_000 })).toBe(true);
  expect(isNearEnough({ cells: 32_000, share: 1, pixels: 400_000 })).toBe(false);
  expect(isNearEnough({ cells: 32_000, share: 0.2, pixels: 1e8 })).toBe(false);
  expect(isNearEnough({ cells: 32_000, share: 0.01, pixels: 1e8 })).toBe(true);
});

test('cells of a few pixels are too small to be hit', () => {
  expect(isNearEnough({ cells: 1000, share: 1, pixels: 40_000 })).toBe(false);
  expect(isNearEnough({ cells: 1000, share: 1, pixels: 400_000 })).toBe(true);
});
