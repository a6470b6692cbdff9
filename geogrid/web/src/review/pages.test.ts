import { expect, test } from 'vitest';
import { joined, toggledPair } from './pages';
import { timeText } from './time';

const id = (row: string) => row;

test('pages are joined without listing anything twice, until one comes short', () => {
  const first = joined([], ['e', 'd', 'c'], 3, id);
  expect(first).toEqual({ rows: ['e', 'd', 'c'], hasMore: true });
  const second = joined(first.rows, ['c', 'b'], 3, id);
  expect(second).toEqual({ rows: ['e', 'd', 'c', 'b'], hasMore: false });
});

test('a service that does not page yet gives no endless list', () => {
  const all = ['c', 'b', 'a'];
  expect(joined(all, all, 3, id).hasMore).toBe(false);
});

test('two are chosen at most, the latest two', () => {
  expect(toggledPair(toggledPair(toggledPair([], 'a'), 'b'), 'c')).toEqual(['b', 'c']);
  expect(toggledPair(['b', 'c'], 'b')).toEqual(['c']);
});

test('a moment that is none is shown as it came', () => {
  expect(timeText('2026-05-01T08:03:00')).toBe('2026-05-01 08:03');
  expect(timeText('soon')).toBe('soon');
  expect(timeText(null)).toBe('');
});
