import { expect, test } from 'vitest';
import { extendColours, PALETTE, shareColour, stripes } from './colours';

function wheel(count: number): Map<string, Set<string>> {
  const codes = Array.from({ length: count }, (_, at) => `c${at}`);
  return new Map(codes.map((code, at) => [code, new Set([codes[(at + 1) % count] ?? '', codes[(at + count - 1) % count] ?? '', 'hub'])]));
}

test('neighbours differ in colour', () => {
  const cells = wheel(23);
  cells.set('hub', new Set(cells.keys()));
  const found = extendColours(new Map(), cells);
  for (const [code, beside] of cells) for (const other of beside) expect(found.get(code)).not.toBe(found.get(other));
});

test('a cell that has a colour keeps it when more cells come into view', () => {
  const known = new Map([['c0', 3]]);
  const found = extendColours(known, wheel(3));
  expect(found.has('c0')).toBe(false);
  expect(found.get('c1')).not.toBe(3);
});

test('more neighbours than colours still get one', () => {
  const codes = Array.from({ length: PALETTE.length + 2 }, (_, at) => `c${at}`);
  const all = new Map(codes.map((code) => [code, new Set(codes.filter((other) => other !== code))]));
  expect(extendColours(new Map(), all).size).toBe(codes.length);
});

test('shares fall into the steps of the legend', () => {
  expect(shareColour(0)).toBe('#e4efe6');
  expect(shareColour(0.1)).toBe('#fde6c8');
  expect(shareColour(0.61)).toBe('#a92a2a');
  expect(stripes().data).toHaveLength(16 * 16 * 4);
});
