import { expect, test } from 'vitest';
import { ALL, type ListFacts, type Member, pageOf, Roll, toggled } from './roll';

function member(id: string, list: string, place: [number, number] | null, households = 1): Member {
  return {
    type: 'Feature', properties: { household_id: id, households, list, cell: '01' },
    geometry: place && { type: 'Point', coordinates: place },
  };
}

function list(code: string, name: string): ListFacts {
  return { code, name, kind: '普通', parent: '01', cell: '01', households: 2, rows: 2, band: 'below' };
}

const ROLL = new Roll([list('0101', '东邻'), list('0102', '西邻')], [
  member('a', '0101', [0, 0]), member('b', '0101', [1, 1]), member('c', '0102', [1, 1], 4), member('d', '0102', null),
]);
const project = ([x, y]: [number, number]) => ({ x: x * 100, y: y * 100 });

test('a loop takes who lives in it and nobody without a place', () => {
  expect(ROLL.inLoop([[0.5, 0.5], [2, 0.5], [2, 2], [0.5, 2]])).toEqual(['b', 'c']);
  expect(ROLL.inLoop([[0.5, 0.5], [2, 0.5]])).toEqual([]);
});

test('a click takes all who live at the nearest point', () => {
  expect(ROLL.at({ x: 97, y: 103 }, project, 10)).toEqual(['b', 'c']);
  expect(ROLL.at({ x: 4, y: 0 }, project, 10)).toEqual(['a']);
  expect(ROLL.at({ x: 80, y: 80 }, project, 200)).toEqual(['b', 'c']);
  expect(ROLL.at({ x: 50, y: 50 }, project, 10)).toEqual([]);
});

test('households are counted and not rows', () => {
  expect(ROLL.count(['a', 'c', 'nobody'])).toBe(5);
});

test('the table is sifted by words, by list and by who was chosen', () => {
  const ids = (sieve: Partial<typeof ALL>) => ROLL.sifted({ ...ALL, ...sieve }).map(({ properties }) => properties.household_id);
  expect(ids({})).toEqual(['a', 'b', 'c', 'd']);
  expect(ids({ words: ' 西 ' })).toEqual(['c', 'd']);
  expect(ids({ words: 'A' })).toEqual(['a']);
  expect(ids({ list: '0101' })).toEqual(['a', 'b']);
  expect(ids({ ids: new Set(['b', 'd']), list: '0102' })).toEqual(['d']);
});

test('neighbours in the list of lists differ in colour, and who has no place is in no dot', () => {
  expect(ROLL.colourOf('0101')).not.toBe(ROLL.colourOf('0102'));
  expect(ROLL.placed.map(({ properties }) => properties.household_id)).toEqual(['a', 'b', 'c']);
});

test('a tick puts all in, and takes all out where all are in', () => {
  expect([...toggled(new Set(['a']), ['a', 'b'])]).toEqual(['a', 'b']);
  expect([...toggled(new Set(['a', 'b', 'c']), ['a', 'b'])]).toEqual(['c']);
});

test('pages end where rows do', () => {
  expect(pageOf([1, 2, 3, 4, 5], 1, 2)).toEqual({ rows: [3, 4], page: 1, pages: 3 });
  expect(pageOf([1, 2, 3], 9, 2)).toEqual({ rows: [3], page: 1, pages: 2 });
  expect(pageOf([], 0, 2)).toEqual({ rows: [], page: 0, pages: 1 });
});
