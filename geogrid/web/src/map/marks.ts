// Answers of the service as what the map draws.
import type { DefectFacts, Feature, Features } from '../api/types';
import { boxOf } from '../geo';

// Each place with its shape gets a point as well, for the ring around it.
export function defectMarks({ features }: Features<DefectFacts>): Features<unknown> {
  const points = features.flatMap((one): Feature<unknown>[] => {
    const box = boxOf(one.geometry);
    if (!box || one.geometry?.type === 'Point') return [];
    const at = [(box[0] + box[2]) / 2, (box[1] + box[3]) / 2];
    return [{ type: 'Feature', properties: {}, geometry: { type: 'Point', coordinates: at } }];
  });
  return { type: 'FeatureCollection', features: [...features.filter(({ geometry }) => geometry), ...points] };
}
