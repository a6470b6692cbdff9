import { expect, test } from 'vitest';
import type { Version } from '../api/types';
import { authorsOf, since } from './conflict';

const version = (id: string, author: string | null): Version => ({
  id, number: 1, parent: null, author, time: '', message: '', is_draft: false, is_proven: true, state: 'draft',
});

test('what came since is named by who made it, each once', () => {
  const all = [version('d', '王工'), version('c', '李工'), version('b', '王工'), version('a', '我')];
  expect(since(all, 'a').map(({ id }) => id)).toEqual(['d', 'c', 'b']);
  expect(authorsOf(since(all, 'a'))).toBe('王工、李工');
  expect(since(all, 'd')).toEqual([]);
});

test('where the list does not reach back to the version that was edited the latest one is told', () => {
  const all = [version('d', '王工'), version('c', null)];
  expect(since(all, 'lost').map(({ id }) => id)).toEqual(['d']);
  expect(authorsOf([version('c', null)])).toBe('');
});
