import { expect, test } from 'vitest';
import type { CellFacts, Feature, Features } from '../api/types';
import { defectMarks, reachOf } from './marks';

function cells(rows: Partial<CellFacts>[]): Features<CellFacts> {
  return {
    type: 'FeatureCollection',
    features: rows.map((properties): Feature<CellFacts> => ({ type: 'Feature', geometry: null, properties: properties as CellFacts })),
  };
}

test('a share that is kept back is not shown as fully served', () => {
  const found = reachOf(cells([
    { code: 'a', households: 40, served_15: 0.75 },
    { code: 'b', households: null, served_15: null },
    { code: 'c', households: 0, served_15: null },
  ]), 15);
  expect([...found.shares]).toEqual([['a', 0.25]]);
  expect(found.hidden).toEqual(['b']);
});

test('each defect with a shape gets a place for its ring, one without a shape gets none', () => {
  const ring = [[0, 0], [2, 0], [2, 2], [0, 2], [0, 0]];
  const found = defectMarks({
    type: 'FeatureCollection',
    features: [
      { type: 'Feature', properties: { kind: 'gap' }, geometry: { type: 'Polygon', coordinates: [ring] } },
      { type: 'Feature', properties: { kind: 'unassigned_household' }, geometry: null },
    ],
  });
  expect(found.features.map(({ geometry }) => geometry?.type)).toEqual(['Polygon', 'Point']);
  expect(found.features[1]?.geometry).toEqual({ type: 'Point', coordinates: [1, 1] });
});
