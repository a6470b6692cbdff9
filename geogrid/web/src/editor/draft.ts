// What a gesture draws over the map until the service has answered.
import type { AtomFacts, Feature, LonLat } from '../api/types';
import type { MapView } from '../map/view';

export interface Draft {
  atoms?: readonly Feature<AtomFacts>[];
  line?: readonly LonLat[];
  borders?: readonly (readonly LonLat[])[];
  vertices?: readonly LonLat[];
  middles?: readonly LonLat[];
  chosen?: readonly LonLat[];
}

const mark = (role: string, geometry: GeoJSON.Geometry): GeoJSON.Feature => ({ type: 'Feature', properties: { role }, geometry });

export function drawDraft(view: MapView, draft: Draft): void {
  const features: GeoJSON.Feature[] = [
    ...(draft.atoms ?? []).flatMap(({ geometry }) => (geometry ? [mark('take', geometry)] : [])),
    ...(draft.borders ?? []).map((line) => mark('border', { type: 'LineString', coordinates: [...line] })),
    ...(draft.line && draft.line.length > 1 ? [mark('line', { type: 'LineString', coordinates: [...draft.line] })] : []),
    ...(draft.vertices ?? []).map((place) => mark('vertex', { type: 'Point', coordinates: place })),
    ...(draft.chosen ?? []).map((place) => mark('chosen', { type: 'Point', coordinates: place })),
    ...(draft.middles ?? []).map((place) => mark('middle', { type: 'Point', coordinates: place })),
  ];
  view.setData('draft', { type: 'FeatureCollection', features });
}
