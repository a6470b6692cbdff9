import { beforeEach, expect, test, vi } from 'vitest';
import type { EditAnswer } from '../../api/types';
import type { Context } from '../../context';
import { createStore } from '../../state';
import { ListDesk } from './desk';

const LIN = { key: 'lin', name: '邻', head_title: '', band: null, cells: 2, contract: 'roster' };

function contextWith(members: () => [string, string][]): { context: Context; set(change: object): void } {
  const info = { head: 'v1', levels: [], lists: [LIN] };
  const store = createStore<Record<string, unknown>>({ plan: 'p', cell: '01', info });
  const get = async (path: string) => {
    const all = members();
    return {
      numberMatched: all.length,
      lists: [...new Set(all.map(([, code]) => code))].map((code) => ({ code, name: `${code}邻` })),
      features: all.map(([id, code]) => ({ type: 'Feature', geometry: null, properties: { household_id: id, households: 1, list: code, cell: path } })),
    };
  };
  const view = () => ({ box: () => [0, 0, 1, 1] });
  return { context: { store, api: { get }, view } as unknown as Context, set: (change) => store.set(change) };
}

beforeEach(() => {
  vi.useFakeTimers();
  vi.stubGlobal('window', globalThis);
});

const settled = () => vi.advanceTimersByTimeAsync(500);
const answer = (created: { level: string; code: string }[] = []) =>
  ({ version: 'v2', change: { cells: [], retired: [], created, households_moved: 1, notes: [] }, is_proven: true }) as EditAnswer;

async function opened(members: () => [string, string][] = () => [['a', '0101'], ['b', '0102']]) {
  const { context, set } = contextWith(members);
  const desk = new ListDesk(context, () => undefined);
  desk.open('lin');
  await settled();
  return { desk, set };
}

test('the lists of the cell are there once a level is opened', async () => {
  const { desk } = await opened();
  expect(desk.isOn).toBe(true);
  expect(desk.roll.members).toHaveLength(2);
  expect(desk.nameOf('0102')).toBe('0102邻');
});

test('who is in the list in hand already does not move', async () => {
  const { desk } = await opened();
  desk.toggle(['a', 'b']);
  desk.take('0101');
  expect(desk.moving).toEqual(['b']);
});

test('a new version keeps the list in hand, and forgets who and what is no longer there', async () => {
  let members: [string, string][] = [['a', '0101'], ['b', '0102']];
  const { desk, set } = await opened(() => members);
  desk.take('0102');
  desk.toggle(['a', 'b']);
  members = [['a', '0101']];
  set({ info: { head: 'v2', levels: [], lists: [LIN] } });
  desk.adapt();
  await settled();
  expect([...desk.chosen]).toEqual(['a']);
  expect(desk.code).toBe('');
});

test('once cells are edited again nobody is shown', async () => {
  const { desk } = await opened();
  desk.open('');
  expect(desk.isOn).toBe(false);
  expect(desk.roll.members).toHaveLength(0);
});

test('another cell lets go of who was chosen at once', async () => {
  const { desk, set } = await opened();
  desk.toggle(['a']);
  set({ cell: '02' });
  desk.adapt();
  expect(desk.chosen.size).toBe(0);
  expect(desk.asked.state).toBe('loading');
});

test('what was stored puts the list that took, or that is new, in hand', async () => {
  const { desk } = await opened();
  desk.toggle(['a']);
  desk.stored({ command: 'create', level: 'lin', households: ['a'] }, answer([{ level: 'lin', code: '0103' }]));
  expect(desk.code).toBe('0103');
  expect(desk.chosen.size).toBe(0);
  desk.stored({ command: 'merge', level: 'lin', cells: ['0101', '0102'], into: '0101' }, answer());
  expect(desk.code).toBe('0101');
  desk.stored({ command: 'rename', level: 'lin', cell: '0102', name: '甲' }, answer());
  expect(desk.code).toBe('0101');
  expect(desk.owns({ command: 'paint', level: 'lin' })).toBe(true);
  expect(desk.owns({ command: 'paint', level: 'wei' })).toBe(false);
});
