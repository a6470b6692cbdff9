import { expect, test } from 'vitest';
import type { Comparison } from '../api/types';
import {
  type Both, changedCells, isCompared, isSame, KIND_COLOURS, levelKey, marksOf, movesOf, partnersOf, titlesOf,
} from './changes';
import { bestLevel, kindWord } from './lists';
import { otherPlans } from './rival';

const cells = (level: string, ...codes: string[]): Comparison['cells'] => ({
  type: 'FeatureCollection',
  features: codes.map((code) => ({ type: 'Feature', geometry: null, properties: { code, name: `名${code}`, level } })),
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
    cells: cells('wei', 'n', 'r', 'x'),
  },
  before: cells('wei', 'g', 'r', 'x'),
  notes: [],
};
// The second plan calls the level otherwise; its cell "r" is other ground than that of the first.
const plans: Both = {
  found: {
    levels: {
      wei: {
        changed: 5, added: ['r'], removed: ['g'], redrawn: ['b'], renumbered: ['c'], renamed: ['c'],
        was: { b: 'r', c: 'k' }, moved_households_text: '20', other: { key: 'unit', name: '单元' },
      },
    },
    moves: [{ level: 'wei', from: 'g', to: '', households_text: '20' }],
    cells: cells('unit', 'r', 'b', 'c'),
  },
  before: cells('wei', 'g', 'r', 'k'),
  notes: [],
};

test('each changed cell is listed once, with a name though it is gone', () => {
  expect(changedCells(both, 'wei').map(({ before, after, kind, name }) => `${before}-${after} ${kind} ${name}`))
    .toEqual(['-n added 名n', 'g- removed 名g', 'r-r redrawn 名r', 'x-x redrawn 名x']);
  expect(changedCells(both, 'zong')).toEqual([]);
  expect(changedCells(both, 'unheard of')).toEqual([]);
});

test('a cell of another plan is listed under both of its codes', () => {
  expect(changedCells(plans, 'wei').map(({ before, after, kind }) => `${before}-${after} ${kind}`))
    .toEqual(['-r added', 'g- removed', 'r-b redrawn', 'k-c renumbered']);
});

test('each map marks what it holds', () => {
  const marked = (of: Both, side: 0 | 1) => marksOf(of, changedCells(of, 'wei'), 'wei', side).features.map(({ properties }) => properties);
  expect(marked(both, 0).map(({ code }) => code)).toEqual(['g', 'r', 'x']);
  expect(marked(both, 1)[0]).toEqual({ code: 'n', colour: KIND_COLOURS.added });
  expect(marksOf(both, changedCells(both, 'wei'), 'zong', 0).features).toEqual([]);
  const { added, removed, redrawn, renumbered } = KIND_COLOURS;
  expect(marked(plans, 0)).toEqual([{ code: 'g', colour: removed }, { code: 'r', colour: redrawn }, { code: 'k', colour: renumbered }]);
  expect(marked(plans, 1)).toEqual([{ code: 'r', colour: added }, { code: 'b', colour: redrawn }, { code: 'c', colour: renumbered }]);
});

test('moves are those of the level on show, and no change is told from some', () => {
  expect(movesOf(both.found, 'zong')).toEqual([{ level: 'zong', from: 'A', to: 'B', households_text: '<10' }]);
  expect(isSame(both.found)).toBe(false);
  expect(isSame({ levels: {}, moves: [], cells: cells('wei') })).toBe(true);
});

test('a click on one map points at the same cell of the other, whatever its code', () => {
  expect(partnersOf(plans.found, 'wei', 'r', 0)).toEqual([['r'], ['b']]);
  expect(partnersOf(plans.found, 'wei', 'r', 1)).toEqual([[], ['r']]);
  expect(partnersOf(plans.found, 'wei', 'c', 1)).toEqual([['k'], ['c']]);
  expect(partnersOf(plans.found, 'wei', 'g', 0)).toEqual([['g'], []]);
  expect(partnersOf(plans.found, 'wei', 'same', 0)).toEqual([['same'], ['same']]);
  // Its code went to other ground, and nothing goes on as it.
  expect(partnersOf(plans.found, 'wei', 'c', 0)).toEqual([['c'], []]);
});

test('levels are those of each plan, and one that the other lacks is not compared', () => {
  expect([levelKey(plans.found, 'wei', 0), levelKey(plans.found, 'wei', 1), levelKey(both.found, 'wei', 1)]).toEqual(['wei', 'unit', 'wei']);
  expect(isCompared(plans.found, 'zong')).toBe(false);
  expect(isCompared(both.found, 'nothing changed here')).toBe(true);
});

test('the view opens on the finest level where something changed', () => {
  const two = { ...both.found, levels: { ...both.found.levels, yiban: { changed: 1, added: [], removed: [], redrawn: ['y'], renamed: [], moved_households_text: '0' } } };
  expect(bestLevel(two, 'zong', ['zong', 'yiban', 'wei'])).toBe('wei');
  expect(bestLevel(both.found, 'wei', ['zong', 'wei'])).toBe('wei');
  expect(bestLevel({ levels: {}, moves: [], cells: cells('wei') }, 'zong', ['zong', 'wei'])).toBe('zong');
});

test('cells of two plans are called by name and code, each of its own plan', () => {
  const title = titlesOf(plans, 'wei');
  expect([title('g', 0), title('g', 1), title('b', 1)]).toEqual(['名g g', 'g', '名b b']);
  expect([kindWord('added', true), kindWord('added', false), kindWord('renamed', true)])
    .toEqual(['change_addedPlan', 'change_added', 'change_renamed']);
});

test('other plans are offered, those of the same project first', () => {
  const plan = (id: string) => ({ id, name: id, branch: 'main', head: 'v', state: 'draft' });
  const projects = [
    { id: 'p', name: '甲', plans: [plan('far')] },
    { id: 'q', name: '乙', plans: [plan('own'), plan('near')] },
  ];
  expect(otherPlans(projects, 'own').map(({ id }) => id)).toEqual(['near', 'far']);
  expect(otherPlans([], 'own')).toEqual([]);
});
