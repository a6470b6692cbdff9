import { expect, test } from 'vitest';
import { labelsOf, neighboursOf, type Piece, shortCode, shortName } from './labels';

const STEP = 0.001;

function piece(column: number, row: number, code: string, width = 1): Piece {
  const [west, south] = [column * STEP, row * STEP];
  const [east, north] = [west + width * STEP, south + STEP];
  const ring = [[west, south], [east, south], [east, north], [west, north], [west, south]];
  return {
    code, name: `建设第1总网格${code.slice(-1)}号`, parent: code.slice(0, -2), households: '<10',
    shape: { type: 'Polygon', coordinates: [ring] },
  };
}

const measure = (text: string, size: number) => text.length * size;

test('names are written in full where most cells have room, else short', () => {
  const pieces = [piece(0, 0, '430201'), piece(1, 0, '430202')];
  const near = labelsOf(pieces, 'name', 1, 0.2, measure).map(({ text }) => text);
  expect(near).toEqual(['建设第1总网格1号', '建设第1总网格2号']);
  const far = labelsOf(pieces, 'name', 1, 2, measure).map(({ text }) => text);
  expect(far).toEqual(['1号', '2号']);
});

test('a cell without room bears no label, and no cell bears one when none are wanted', () => {
  expect(labelsOf([piece(0, 0, '430201')], 'name', 1, 20, measure)).toEqual([]);
  expect(labelsOf([piece(0, 0, '430201')], 'name', 1, 8.5, () => 1)).toEqual([]);
  expect(labelsOf([piece(0, 0, '430201')], 'none', 1, 0.2, measure)).toEqual([]);
});

test('a cell in several tiles is lettered once, and larger cells come first', () => {
  const pieces = [piece(0, 0, '430201', 0.6), piece(0.4, 0, '430201', 0.6), piece(3, 0, '430202', 0.4)];
  const labels = labelsOf(pieces, 'code', 1, 0.2, measure);
  expect(labels.map(({ text }) => text)).toEqual(['430201', '430202']);
  expect(labels[0]?.at[0]).toBeCloseTo(STEP / 2, 5);
  expect(labels[0]?.order).toBeLessThan(labels[1]?.order ?? 0);
});

test('a kept back count is written as it came', () => {
  expect(labelsOf([piece(0, 0, '430201')], 'households', 1, 0.2, measure)[0]?.text).toBe('<10');
});

test('what the code of the parent says is left out', () => {
  expect(shortCode(piece(0, 0, '430201'))).toBe('01');
  expect(shortCode({ ...piece(0, 0, '430201'), parent: '' })).toBe('430201');
});

test('names of communities and villages are cut at their ends', () => {
  const names = ['贺家土居民委员会', '白关村民委员会', '第12网格', '第1总网格第6网格4号微网格', '学校'];
  expect(names.map(shortName)).toEqual(['贺家土', '白关村', '12号', '4号', '学校']);
});

test('cells are neighbours by common vertices', () => {
  const found = neighboursOf([piece(0, 0, '430201'), piece(1, 0, '430202'), piece(5, 0, '430203')]);
  expect([...(found.get('430201') ?? [])]).toEqual(['430202']);
  expect(found.get('430203')?.size).toBe(0);
});
