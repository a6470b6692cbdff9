// The style of the map: the project's own tiles and local fonts, nothing from anywhere else.
import type {
  ExpressionSpecification, FilterSpecification, LayerSpecification, SourceSpecification, StyleSpecification,
} from 'maplibre-gl';
import type { Level } from '../api/types';
import type { Fill } from '../url';
import { BAND_COLOURS, borderOf, circleLook, DEFECT, NO_COUNT, PALETTE, PICKED, STATION, UNSERVED_STEPS } from './colours';

// Without an address of glyphs MapLibre draws every letter from the fonts of this machine.
export const FONTS = ['Noto Sans CJK SC', 'Noto Sans SC', 'Microsoft YaHei', 'PingFang SC', 'sans-serif'];
const GROUND = '#f4f2ec';

const streetClass: ExpressionSpecification = ['coalesce', ['get', 'class'], ['match',
  ['coalesce', ['get', 'highway'], ''],
  ['motorway', 'trunk', 'primary', 'motorway_link', 'trunk_link', 'primary_link'], 'major',
  ['secondary', 'tertiary', 'secondary_link', 'tertiary_link'], 'medium',
  ['residential', 'unclassified', 'living_street', 'road', 'pedestrian'], 'minor',
  'path']];
const STREETS = [
  { name: 'path', color: '#cdc6ba', wide: 0.9, from: 15 },
  { name: 'minor', color: '#c2bbae', wide: 2.6, from: 13 },
  { name: 'medium', color: '#b4aa98', wide: 4.2, from: 0 },
  { name: 'major', color: '#a5987f', wide: 6, from: 0 },
];

const growing = (wide: number): ExpressionSpecification =>
  ['interpolate', ['exponential', 2], ['zoom'], 10, 0.6, 16, Math.max(0.8, wide), 18, wide * 2];

function base(): LayerSpecification[] {
  const source = 'base';
  const area: FilterSpecification = ['==', ['geometry-type'], 'Polygon'];
  const water = { 'fill-color': '#c5dff0', 'fill-outline-color': '#9fc3dc' };
  const river = { 'line-color': '#9fc3dc', 'line-width': growing(3) };
  const rail = { 'line-color': '#8d8d8d', 'line-width': growing(1.6), 'line-dasharray': [5, 3] };
  return [
    { id: 'base-water', type: 'fill', source, 'source-layer': 'water', filter: area, paint: water },
    { id: 'base-water-areas', type: 'fill', source, 'source-layer': 'water_areas', paint: water },
    { id: 'base-river', type: 'line', source, 'source-layer': 'water', filter: ['!', area], paint: river },
    { id: 'base-water-lines', type: 'line', source, 'source-layer': 'water_lines', paint: river },
    { id: 'base-buildings', type: 'fill', source, 'source-layer': 'buildings', minzoom: 14.5, paint: { 'fill-color': '#ddd7cb', 'fill-outline-color': '#cfc8bb' } },
    ...STREETS.map(({ name, color, wide, from }): LayerSpecification => ({
      id: `base-${name}`, type: 'line', source, 'source-layer': 'streets', minzoom: from,
      filter: ['==', streetClass, name] as FilterSpecification,
      layout: { 'line-cap': 'round', 'line-join': 'round' },
      paint: { 'line-color': color, 'line-width': growing(wide), ...(name === 'path' ? { 'line-dasharray': [3, 3] } : {}) },
    })),
    { id: 'base-rail', type: 'line', source, 'source-layer': 'rail', paint: rail },
    { id: 'base-rails', type: 'line', source, 'source-layer': 'rails', paint: rail },
  ];
}

const streetNames: LayerSpecification = {
  id: 'base-names', type: 'symbol', source: 'base', 'source-layer': 'streets', minzoom: 14,
  filter: ['all', ['has', 'name'], ['!=', streetClass, 'path']] as unknown as FilterSpecification,
  layout: {
    'symbol-placement': 'line', 'text-field': ['get', 'name'], 'text-font': FONTS, 'text-size': 11,
    'symbol-spacing': 400, 'text-padding': 6,
  },
  paint: { 'text-color': '#6d6250', 'text-halo-color': '#ffffffd0', 'text-halo-width': 1.4 },
};

// Consecutive numbers are mostly neighbours; better colours come from the borders once they are seen.
const codeColour: ExpressionSpecification = ['match',
  ['coalesce', ['feature-state', 'colour'], ['get', 'colour'], ['%', ['to-number', ['slice', ['get', 'code'], -3], 0], PALETTE.length]],
  ...PALETTE.flatMap((colour, at) => [at, colour]), PALETTE[0] ?? NO_COUNT] as unknown as ExpressionSpecification;
const bandColour: ExpressionSpecification = ['match', ['to-string', ['coalesce', ['get', 'band'], '']],
  ['below', '-1'], BAND_COLOURS.below, ['in', '0'], BAND_COLOURS.in, ['above', '1'], BAND_COLOURS.above, NO_COUNT];
const servedIn = (minutes: number): string => `served_${minutes}`;
// Shares come with four decimals, so what is left of one needs a little room at each step.
const unservedColour = (minutes: number): ExpressionSpecification => ['case',
  ['!', ['has', servedIn(minutes)]], NO_COUNT,
  ['step', ['-', 1, ['number', ['get', servedIn(minutes)], 1]], UNSERVED_STEPS[0]?.colour ?? NO_COUNT,
    ...UNSERVED_STEPS.slice(1).flatMap(({ colour }, at) => [(UNSERVED_STEPS[at]?.top ?? 0) + 1e-6, colour])] as unknown as ExpressionSpecification];

export function fillColour(fill: Fill, minutes: number): ExpressionSpecification {
  if (fill === 'band') return bandColour;
  return fill === 'unserved' ? unservedColour(minutes) : codeColour;
}

// Cells of which a number is kept back; who has no households hides nothing.
export function hiddenFilter(fill: Fill, minutes: number): FilterSpecification {
  if (fill === 'unserved') return ['all', ['!', ['has', servedIn(minutes)]], ['!=', ['coalesce', ['get', 'households'], -1], 0]];
  return ['>', ['coalesce', ['get', 'hidden'], 0], 0];
}

// Colours that only tell neighbours apart step back when a circle is to be read over them.
export function fillOpacity(fill: Fill, hasCircles: boolean): number {
  if (fill !== 'colour') return 0.62;
  return hasCircles ? 0.16 : 0.42;
}

// Shapes of their own, not of the tiles: far out those leave the finest cells away.
const changed: LayerSpecification[] = [
  { id: 'changed-fill', type: 'fill', source: 'changed', paint: { 'fill-color': ['get', 'colour'], 'fill-opacity': 0.55 } },
  { id: 'changed-line', type: 'line', source: 'changed', paint: { 'line-color': ['get', 'colour'], 'line-width': 2 } },
];

function cells(levels: readonly Level[]): LayerSpecification[] {
  const source = 'cells';
  const fills = levels.flatMap(({ key }): LayerSpecification[] => [
    { id: `fill-${key}`, type: 'fill', source, 'source-layer': key, layout: { visibility: 'none' }, paint: { 'fill-color': codeColour, 'fill-opacity': 0.42, 'fill-antialias': false } },
    { id: `hidden-${key}`, type: 'fill', source, 'source-layer': key, layout: { visibility: 'none' }, filter: ['==', ['get', 'code'], ''], paint: { 'fill-pattern': 'stripes', 'fill-opacity': 0.62 } },
  ]);
  const lines = levels.map(({ key }, depth): LayerSpecification => ({
    id: `line-${key}`, type: 'line', source, 'source-layer': key, layout: { visibility: 'none', 'line-join': 'round' },
    paint: { 'line-color': borderOf(depth).color, 'line-width': borderOf(depth).width },
  }));
  const picked = levels.map(({ key }): LayerSpecification => ({
    id: `picked-${key}`, type: 'line', source, 'source-layer': key, layout: { visibility: 'none', 'line-join': 'round' },
    filter: ['==', ['get', 'code'], ''], paint: { 'line-color': PICKED, 'line-width': 4 },
  }));
  return [...fills, ...changed, ...lines.reverse(), ...picked];
}

function service(limits: readonly number[]): LayerSpecification[] {
  return limits.flatMap((minutes, at): LayerSpecification[] => {
    const look = circleLook(at);
    const source = `circles-${minutes}`;
    return [
      { id: `${source}-fill`, type: 'fill', source, layout: { visibility: 'none' }, paint: { 'fill-color': look.fill, 'fill-opacity': look.opacity } },
      { id: `${source}-case`, type: 'line', source, layout: { visibility: 'none' }, paint: { 'line-color': '#ffffff', 'line-width': 5.5, 'line-opacity': 0.85 } },
      { id: `${source}-line`, type: 'line', source, layout: { visibility: 'none' }, paint: { 'line-color': look.line, 'line-width': 2.6, ...(look.dash ? { 'line-dasharray': [...look.dash] } : {}) } },
    ];
  });
}

const marks: LayerSpecification[] = [
  { id: 'defects-fill', type: 'fill', source: 'defects', filter: ['==', ['geometry-type'], 'Polygon'], paint: { 'fill-color': DEFECT.fill, 'fill-opacity': 0.6 } },
  { id: 'defects-line', type: 'line', source: 'defects', filter: ['!=', ['geometry-type'], 'Point'], paint: { 'line-color': DEFECT.line, 'line-width': 2.5 } },
  // A gap a centimetre wide is not seen at any zoom, so each place gets a ring as well.
  { id: 'defects-ring', type: 'circle', source: 'defects', filter: ['==', ['geometry-type'], 'Point'], paint: { 'circle-radius': 9, 'circle-opacity': 0, 'circle-stroke-color': DEFECT.line, 'circle-stroke-width': 2.5 } },
  { id: 'stations', type: 'circle', source: 'stations', paint: { 'circle-radius': 6, 'circle-color': STATION, 'circle-stroke-color': '#ffffff', 'circle-stroke-width': 2 } },
];

const role = (name: string): FilterSpecification => ['==', ['get', 'role'], name];
const point = (name: string, radius: number, color: string): LayerSpecification => ({
  id: `draft-${name}`, type: 'circle', source: 'draft', filter: role(name),
  paint: { 'circle-radius': radius, 'circle-color': color, 'circle-stroke-color': PICKED, 'circle-stroke-width': 2 },
});
const draft: LayerSpecification[] = [
  { id: 'atoms-fill', type: 'fill', source: 'atoms', paint: { 'fill-color': '#ffffff', 'fill-opacity': 0 } },
  { id: 'atoms-line', type: 'line', source: 'atoms', paint: { 'line-color': '#5b6873', 'line-width': 0.8, 'line-dasharray': [3, 2] } },
  { id: 'draft-take', type: 'fill', source: 'draft', filter: role('take'), paint: { 'fill-color': PICKED, 'fill-opacity': 0.45 } },
  { id: 'draft-border', type: 'line', source: 'draft', filter: role('border'), paint: { 'line-color': PICKED, 'line-width': 4 } },
  { id: 'draft-line', type: 'line', source: 'draft', filter: role('line'), paint: { 'line-color': '#a4262c', 'line-width': 3, 'line-dasharray': [2, 1] } },
  point('middle', 4, '#cfe0f2'),
  point('vertex', 6, '#ffffff'),
];

const labels: LayerSpecification = {
  id: 'labels', type: 'symbol', source: 'labels',
  layout: {
    'text-field': ['get', 'text'], 'text-font': FONTS, 'text-size': ['get', 'size'], 'text-padding': 3,
    'symbol-sort-key': ['get', 'order'], 'text-max-width': 40,
    'text-variable-anchor': ['center', 'bottom', 'top'], 'text-radial-offset': 0.6,
  },
  paint: { 'text-color': '#17212a', 'text-halo-color': '#ffffffd9', 'text-halo-width': 1.6 },
};

// Where map pictures of others go: over the own base map, under the cells.
export const FIRST_OF_CELLS = (levels: readonly Level[]): string => `fill-${levels[0]?.key ?? ''}`;

const NOTHING: SourceSpecification = { type: 'geojson', data: { type: 'FeatureCollection', features: [] } };

export interface TileAddresses {
  cells: string;
  base: string;
}

export function styleOf(levels: readonly Level[], limits: readonly number[], tiles: TileAddresses, maxZoom = 16): StyleSpecification {
  const own = { type: 'vector', maxzoom: maxZoom } as const;
  return {
    version: 8,
    sources: {
      base: { ...own, tiles: [tiles.base] },
      cells: { ...own, tiles: [tiles.cells], promoteId: 'code' },
      labels: NOTHING,
      changed: NOTHING,
      atoms: NOTHING,
      draft: NOTHING,
      stations: NOTHING,
      defects: NOTHING,
      ...Object.fromEntries(limits.map((minutes) => [`circles-${minutes}`, NOTHING])),
    },
    layers: [
      { id: 'ground', type: 'background', paint: { 'background-color': GROUND } },
      ...base(), ...cells(levels), ...service(limits), streetNames, ...marks, labels, ...draft,
    ],
  };
}

