import { expect, test } from 'vitest';
import { defectMarks } from './marks';

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
