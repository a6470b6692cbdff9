// Answers of the service as what the map draws.
import type { CellFacts, DefectFacts, Feature, Features } from '../api/types';
import { boxOf } from '../geo';

export interface Reach {
  shares: ReadonlyMap<string, number>;
  hidden: readonly string[];
}

// The share that is not served; what is kept back is told apart from where nobody lives.
export function reachOf({ features }: Features<CellFacts>, minutes: number): Reach {
  const shares = new Map<string, number>();
  const hidden: string[] = [];
  for (const { properties } of features) {
    const served = properties[`served_${minutes}`];
    if (typeof served === 'number') shares.set(properties.code, 1 - served);
    else if (properties.households !== 0) hidden.push(properties.code);
  }
  return { shares, hidden };
}

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
