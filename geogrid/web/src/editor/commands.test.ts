import { expect, test } from 'vitest';
import type { AtomFacts, Feature } from '../api/types';
import { atomsInside, merge, paint, split, toggledCell, toggledLevel } from './commands';
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
  expect(paint('wei', '1', ['a1'])).toEqual({ command: 'paint', level: 'wei', target: '1', atoms: ['a1'] });
  expect(split('wei', '1', [[0, 0], [1, 1]])['line']).toEqual([[0, 0], [1, 1]]);
  expect(merge('wei', ['1', '2'], '1')).toEqual({ command: 'merge', level: 'wei', cells: ['1', '2'], into: '1' });
});

test('a lock that is set twice is gone', () => {
  const none = { levels: [], cells: [] };
  const locked = toggledLevel(toggledCell(none, 'wei', '1'), 'zong');
  expect(locked).toEqual({ levels: ['zong'], cells: [['wei', '1']] });
  expect(toggledLevel(toggledCell(locked, 'wei', '1'), 'zong')).toEqual(none);
});

test('steps go back and forth, and a new step forgets what was undone', () => {
  const [a, b] = [paint('wei', '1', ['a']), paint('wei', '1', ['b'])];
  const two = didStep(didStep(NO_STEPS, a), b);
  expect(undidStep(two)).toEqual({ done: [a], undone: [b] });
  expect(redidStep(undidStep(two))).toEqual(two);
  expect(didStep(undidStep(two), a)).toEqual({ done: [a, a], undone: [] });
  expect(undidStep(NO_STEPS)).toEqual(NO_STEPS);
  expect(redidStep(NO_STEPS)).toEqual(NO_STEPS);
});
