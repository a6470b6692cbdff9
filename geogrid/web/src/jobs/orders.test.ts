import { expect, test } from 'vitest';
import { minutesOf, orderOf } from './orders';
import { projectOf } from './project';

test('minutes are read however they are written', () => {
  expect(minutesOf('15，5')).toEqual([5, 15]);
  expect(minutesOf(' 5 10、10 ')).toEqual([5, 10]);
  for (const text of ['', 'five', '0', '5, 61', '5,-1', '1 2 3 4 5']) expect(minutesOf(text)).toBeNull();
});

test('what was left open is ordered as nothing', () => {
  expect(orderOf('divide', { name: '新方案', scheme: 'huayang', like: '', limit: 'f1', households: '', stations: '' }))
    .toEqual({ kind: 'divide', name: '新方案', scheme: 'huayang', like: null, limit: 'f1', households: null, stations: null, seed: 0 });
  expect(orderOf('circles', { stations: '', minutes: '5' })).toEqual({ kind: 'circles', stations: null, minutes: [5] });
  expect(orderOf('circles', { stations: '', minutes: 'x' })).toBeNull();
  expect(orderOf('import', { name: 'a', file: '' })).toBeNull();
});

test('files go to the project of the plan, or to the first one', () => {
  const projects = { state: 'there' as const, value: [{ id: 'first', name: '', plans: [] }] };
  const of = (project: unknown) => projectOf({ info: project === undefined ? null : { project } as never, projects });
  expect([of('p'), of({ id: 'q' }), of(undefined)]).toEqual(['p', 'q', 'first']);
});
