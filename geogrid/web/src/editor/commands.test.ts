import { expect, test } from 'vitest';
import type { AtomFacts, Feature } from '../api/types';
import { allowingPieces, atomsInside, create, createOf, merge, paint, paintHomes, rename, snap, split, toggledCell, toggledLevel } from './commands';
import { didStep, NO_STEPS, redidStep, undidStep } from './steps';

function atom(column: number): Feature<AtomFacts> {
  const ring = [[column, 0], [column + 1, 0], [column + 1, 1], [column, 1], [column, 0]];
  return {
    type: 'Feature', geometry: { type: 'Polygon', coordinates: [ring] },
    properties: { atom_id: `a${column}`, cell: '1', households_text: '3' },
  };
}

test('a loop takes the atoms whose middle it holds', () => {
  const atoms = [0, 1, 2].map(atom);
  expect(atomsInside([[0.2, 0.2], [1.8, 0.2], [1.8, 0.8], [0.2, 0.8]], atoms)).toEqual(['a0', 'a1']);
  expect(atomsInside([[0.2, 0.2], [1.8, 0.2]], atoms)).toEqual([]);
});

test('commands name the level, the cell and what is changed', () => {
  expect(paint('wei', '1', { atoms: ['a1'] })).toEqual({ command: 'paint', level: 'wei', target: '1', atoms: ['a1'] });
  expect(split('wei', '1', [[0, 0], [1, 1]])['line']).toEqual([[0, 0], [1, 1]]);
  expect(merge('wei', ['1', '2'], '1')).toEqual({ command: 'merge', level: 'wei', cells: ['1', '2'], into: '1' });
});

test('above the finest level whole cells are taken and no atoms are named', () => {
  expect(paint('yiban', '1', { cells: ['101'] })).toEqual({ command: 'paint', level: 'yiban', target: '1', cells: ['101'] });
  expect(create('yiban', { cells: ['101'] }, '', '')).toEqual({ command: 'create', level: 'yiban', cells: ['101'] });
  expect(create('wei', { atoms: ['a'] }, '集市', '专属')).toEqual({ command: 'create', level: 'wei', atoms: ['a'], name: '集市', kind: '专属' });
});

test('cells may fall apart only where that is ticked, and only by commands that know of it', () => {
  const line = snap([[0, 0], [1, 1]], 30);
  expect(allowingPieces(line, false)).toEqual({ command: 'snap_to_streets', run: [[0, 0], [1, 1]], within_m: 30 });
  expect(allowingPieces(line, true)['allow_disconnected']).toBe(true);
  expect(allowingPieces(rename('wei', '1', '新名'), true)).toEqual({ command: 'rename', level: 'wei', cell: '1', name: '新名' });
});

test('a lock that is set twice is gone', () => {
  const none = { levels: [], cells: [] };
  const locked = toggledLevel(toggledCell(none, 'wei', '1'), 'zong');
  expect(locked).toEqual({ levels: ['zong'], cells: [['wei', '1']] });
  expect(toggledLevel(toggledCell(locked, 'wei', '1'), 'zong')).toEqual(none);
});

test('steps go back and forth, and a new step forgets what was undone', () => {
  const [a, b] = [paint('wei', '1', { atoms: ['a'] }), paint('wei', '1', { atoms: ['b'] })];
  const two = didStep(didStep(NO_STEPS, a), b);
  expect(undidStep(two)).toEqual({ done: [a], undone: [b] });
  expect(redidStep(undidStep(two))).toEqual(two);
  expect(didStep(undidStep(two), a)).toEqual({ done: [a, a], undone: [] });
  expect(undidStep(NO_STEPS)).toEqual(NO_STEPS);
  expect(redidStep(NO_STEPS)).toEqual(NO_STEPS);
});

test('households are named one by one', () => {
  expect(paintHomes('lin', '0101', ['h1', 'h2'])).toEqual({ command: 'paint', level: 'lin', target: '0101', households: ['h1', 'h2'] });
  expect(createOf('lin', ['h1'], '', '')).toEqual({ command: 'create', level: 'lin', households: ['h1'] });
  expect(createOf('lin', ['h1'], '新邻', '专属')).toEqual({ command: 'create', level: 'lin', households: ['h1'], name: '新邻', kind: '专属' });
});
