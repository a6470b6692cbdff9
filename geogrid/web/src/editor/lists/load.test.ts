import { expect, test } from 'vitest';
import type { Api } from '../../api/client';
import { loadRoll, PAGE } from './load';

function answering(total: number): { api: Api; asked: string[] } {
  const asked: string[] = [];
  const get = async (path: string) => {
    asked.push(path);
    const [where = '', query = ''] = path.split('?');
    const { offset, limit } = Object.fromEntries(new URLSearchParams(query)) as { offset: string; limit: string };
    const count = where.endsWith('/lists') ? 1 : total;
    const rows = Array.from({ length: Math.min(Number(limit), count - Number(offset)) }, (_, at) => Number(offset) + at);
    return {
      numberMatched: count,
      lists: rows.map(() => ({ code: '0101', name: '东邻' })),
      features: rows.map((at) => ({ type: 'Feature', geometry: null, properties: { household_id: `h${at}`, households: 1, list: '0101', cell: '01' } })),
    };
  };
  return { api: { get } as unknown as Api, asked };
}

const WANTED = { plan: 'p', version: 'v1', level: 'lin', cell: '01', box: [0, 0, 1, 1] as [number, number, number, number] };

test('a long cell is asked for page by page', async () => {
  const { api, asked } = answering(PAGE + 7);
  const roll = await loadRoll(api, WANTED);
  expect(roll.members.length).toBe(PAGE + 7);
  expect(new Set(roll.members.map(({ properties }) => properties.household_id)).size).toBe(PAGE + 7);
  expect(roll.missing).toBe(0);
  expect(asked.filter((path) => path.includes('/members')).length).toBe(2);
  expect(asked.every((path) => path.includes('level=lin') && path.includes('cell=01'))).toBe(true);
});

test('more than a browser draws well is not asked for, and that is said', async () => {
  const roll = await loadRoll(answering(30_000).api, WANTED);
  expect(roll.members.length).toBe(20_000);
  expect(roll.missing).toBe(10_000);
});

test('without a cell the box is asked for, once, and no lists', async () => {
  const { api, asked } = answering(70);
  const roll = await loadRoll(api, { ...WANTED, cell: '' });
  expect(asked).toHaveLength(1);
  expect(asked[0]).toContain('bbox=');
  expect(roll.members).toHaveLength(70);
});

test('a view with too many shows none of them', async () => {
  const roll = await loadRoll(answering(9000).api, { ...WANTED, cell: '' });
  expect(roll.members).toHaveLength(0);
  expect(roll.missing).toBe(9000);
});
