import { expect, test } from 'vitest';
import type { Comparison } from '../api/types';
import { type Both, changedCells, isSame, KIND_COLOURS, marksOf, movesOf } from './changes';

const cells = (...codes: string[]): Comparison['cells'] => ({
  type: 'FeatureCollection',
  features: codes.map((code) => ({ type: 'Feature', geometry: null, properties: { code, name: `名${code}`, level: 'wei' } })),
});
const both: Both = {
  found: {
    levels: {
      wei: { changed: 4, added: ['n'], removed: ['g'], redrawn: ['r', 'x'], renamed: ['x'], moved_households_text: '27' },
      zong: { changed: 0, added: [], removed: [], redrawn: [], renamed: [], moved_households_text: '0' },
    },
    moves: [
      { level: 'wei', from: 'g', to: 'n', households_text: '20' },
      { level: 'zong', from: 'A', to: 'B', households_text: '<10' },
    ],
    cells: cells('n', 'r', 'x'),
  },
  before: cells('g', 'r', 'x'),
};

test('each changed cell is listed once, with a name though it is gone', () => {
  expect(changedCells(both, 'wei').map(({ code, kind, name }) => `${code} ${kind} ${name}`))
    .toEqual(['n added 名n', 'g removed 名g', 'r redrawn 名r', 'x redrawn 名x']);
  expect(changedCells(both, 'zong')).toEqual([]);
  expect(changedCells(both, 'unheard of')).toEqual([]);
});

test('each map marks what it holds', () => {
  const rows = changedCells(both, 'wei');
  const marked = (of: Comparison['cells']) => marksOf(of, rows, 'wei').features.map(({ properties }) => properties);
  expect(marked(both.before).map(({ code }) => code)).toEqual(['g', 'r', 'x']);
  expect(marked(both.found.cells)[0]).toEqual({ code: 'n', colour: KIND_COLOURS.added });
  expect(marksOf(both.before, rows, 'zong').features).toEqual([]);
});

test('moves are those of the level on show, and no change is told from some', () => {
  expect(movesOf(both.found, 'zong')).toEqual([{ level: 'zong', from: 'A', to: 'B', households_text: '<10' }]);
  expect(isSame(both.found)).toBe(false);
  expect(isSame({ levels: {}, moves: [], cells: cells() })).toBe(true);
});
