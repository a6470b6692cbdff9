// What the editor adds to the map: locked cells, and the outlines that a command would draw.
import type { FilterSpecification } from 'maplibre-gl';
import type { Locks, Shape } from '../api/types';
import { PICKED } from '../map/colours';
import type { MapView } from '../map/view';

const SIDE = 72;
const IMAGE = 'editor-locks';
const RESULT = 'editor-result';
const BIG = { vertex: 11, middle: 8, chosen: 12 };
const SMALL = { vertex: 6, middle: 4, chosen: 7 };

// Hatching with padlocks, so that it is not taken for the stripes of numbers kept back.
function lockPattern(): ImageData | null {
  const canvas = document.createElement('canvas');
  canvas.width = SIDE;
  canvas.height = SIDE;
  const pen = canvas.getContext('2d');
  if (!pen) return null;
  pen.strokeStyle = '#37424bb0';
  pen.lineWidth = 2;
  for (const from of [-SIDE, 0, SIDE]) {
    for (const step of [0, SIDE / 2]) {
      pen.beginPath();
      pen.moveTo(from + step, SIDE);
      pen.lineTo(from + step + SIDE, 0);
      pen.stroke();
    }
  }
  const middle = SIDE / 2;
  pen.fillStyle = '#ffffff';
  pen.beginPath();
  pen.arc(middle, middle, 17, 0, 2 * Math.PI);
  pen.fill();
  pen.strokeStyle = '#37424b';
  pen.lineWidth = 4;
  pen.beginPath();
  pen.arc(middle, middle - 3, 6, Math.PI, 0);
  pen.stroke();
  pen.fillStyle = '#37424b';
  pen.fillRect(middle - 9, middle - 3, 18, 13);
  return pen.getImageData(0, 0, SIDE, SIDE);
}

export function addLayers(view: MapView, isTouch: boolean): void {
  const { map, plan } = view;
  const image = lockPattern();
  if (image && !map.hasImage(IMAGE)) map.addImage(IMAGE, image, { pixelRatio: 2 });
  for (const { key } of plan.levels) {
    if (map.getLayer(`locked-${key}`)) continue;
    map.addLayer({
      id: `locked-${key}`, type: 'fill', source: 'cells', 'source-layer': key, layout: { visibility: 'none' },
      filter: ['==', ['get', 'code'], ''], paint: { 'fill-pattern': IMAGE },
    }, 'labels');
  }
  if (!map.getSource(RESULT)) {
    map.addSource(RESULT, { type: 'geojson', data: { type: 'FeatureCollection', features: [] } });
    map.addLayer({ id: RESULT, type: 'line', source: RESULT, paint: { 'line-color': '#c75200', 'line-width': 2.5, 'line-dasharray': [2, 1.5] } });
    map.addLayer({
      id: 'draft-chosen', type: 'circle', source: 'draft', filter: ['==', ['get', 'role'], 'chosen'],
      paint: { 'circle-radius': SMALL.chosen, 'circle-color': '#ffb74d', 'circle-stroke-color': PICKED, 'circle-stroke-width': 2 },
    });
  }
  // What is drawn must stand out from the outline of the cell in hand.
  map.setPaintProperty('draft-border', 'line-color', '#e06c00');
  map.setPaintProperty('draft-border', 'line-width', 5);
  for (const [name, radius] of Object.entries(isTouch ? BIG : SMALL)) map.setPaintProperty(`draft-${name}`, 'circle-radius', radius);
}

export function hideLayers(view: MapView): void {
  for (const { key } of view.plan.levels) {
    if (view.map.getLayer(`locked-${key}`)) view.map.setLayoutProperty(`locked-${key}`, 'visibility', 'none');
  }
  showResult(view, []);
}

// A locked level is hatched as a whole where it is the one on show.
export function showLocks(view: MapView, locks: Locks, level: string): void {
  for (const { key } of view.plan.levels) {
    if (!view.map.getLayer(`locked-${key}`)) continue;
    const codes = locks.cells.filter(([at]) => at === key).map(([, code]) => code);
    const filter = locks.levels.includes(key) ? true : ['in', ['get', 'code'], ['literal', codes]];
    view.map.setFilter(`locked-${key}`, filter as unknown as FilterSpecification);
    view.map.setLayoutProperty(`locked-${key}`, 'visibility', key === level ? 'visible' : 'none');
  }
}

export function showResult(view: MapView, shapes: readonly Shape[]): void {
  if (!view.map.getSource(RESULT)) return;
  view.setData(RESULT, {
    type: 'FeatureCollection', features: shapes.map((geometry) => ({ type: 'Feature', properties: {}, geometry })),
  });
}
