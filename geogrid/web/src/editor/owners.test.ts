import { expect, test } from 'vitest';
import { Owners } from './owners';

const cell = (code: string, level: string, parent: string) => ({ code, level, parent, name: code, kind: '', households: 1 });
const OWNERS = Owners.of([cell('1', 'zong', ''), cell('11', 'yiban', '1'), cell('111', 'wei', '11')]);

test('a cell is found at its own level and at all levels above', () => {
  expect(['wei', 'yiban', 'zong'].map((level) => OWNERS.at(level, '111'))).toEqual(['111', '11', '1']);
});

test('what the tiles do not hold is in no cell', () => {
  expect(OWNERS.at('zong', '999')).toBe('');
  expect(OWNERS.at('wei', '11')).toBe('');
  expect(Owners.of([cell('111', 'wei', '11')]).at('zong', '111')).toBe('');
});
