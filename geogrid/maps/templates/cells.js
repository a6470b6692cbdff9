// Cells of one level: a filled layer that answers to the pointer, and borders by level.
const BORDERS = [
  { color: '#6d1f3a', weight: 3.2 },
  { color: '#2f3f4c', weight: 2.2 },
  { color: '#4c5c69', weight: 1.4 },
  { color: '#6c7b87', weight: 1 },
];
// A wide pale band under the finer borders, as atlases mark a limit.
const LIMIT_STYLE = { color: '#a4262c', weight: 10, opacity: 0.35 };
const PICKED = { color: '#0b57a4', weight: 4, opacity: 1, fillOpacity: 0.25 };
const BAND_COLOURS = { '-1': '#5d9bd3', 0: '#86bd83', 1: '#dd6b53', null: '#c3c9cd' };
const BAND_TEXTS = { '-1': '低于户数标准', 0: '符合户数标准', 1: '高于户数标准', null: '不参与或不公布' };
const UNSERVED_STEPS = [
  [0, '#e4efe6', '0%'],
  [0.1, '#fde6c8', '不超过 10%'],
  [0.3, '#f8b581', '10%–30%'],
  [0.6, '#e5754f', '30%–60%'],
  [1, '#a92a2a', '60% 以上'],
];
// Cells are mostly wider than the largest circle inside them.
const LABEL_ROOM = 2.3;
const NO_COUNT = '#c3c9cd';

function borderOf(depth) {
  return BORDERS[Math.min(depth, BORDERS.length - 1)];
}

function unservedColour(share) {
  if (share === null || share === undefined) return NO_COUNT;
  return UNSERVED_STEPS.find(([top]) => share <= top)[1];
}

function fillColour(data, level, row, mode) {
  if (mode === 'band') return BAND_COLOURS[level.inBand[row]];
  if (mode === 'unserved' && level.share) return unservedColour(level.share[row]);
  return data.palette[level.colour[row] % data.palette.length];
}

function cellLayers(map, data) {
  const cells = map.createPane('gg-cells');
  cells.style.zIndex = 400;
  const borders = map.createPane('gg-borders');
  borders.style.zIndex = 430;
  borders.style.pointerEvents = 'none';
  const fillRenderer = L.canvas({ pane: 'gg-cells', padding: 0.2 });
  const lineRenderer = L.canvas({ pane: 'gg-borders', padding: 0.2 });
  for (const [depth, level] of data.levels.entries()) {
    level.depth = depth;
    level.latLngs = level.shape.map((polygons) => areaLatLngs(polygons, E7));
    level.row = new Map(level.code.map((code, row) => [code, row]));
    level.polygons = level.latLngs.map((rings) => L.polygon(rings, {
      renderer: fillRenderer, pane: 'gg-cells', stroke: false, smoothFactor: 0.5,
    }));
    level.fill = L.featureGroup(level.polygons);
    level.lines = L.polygon(level.latLngs.flat(), {
      ...borderOf(depth), renderer: lineRenderer, pane: 'gg-borders', fill: false,
      interactive: false, smoothFactor: 0.5,
    });
  }
  const limit = L.polygon(areaLatLngs(data.district.shape, E7), {
    ...LIMIT_STYLE, renderer: lineRenderer, pane: 'gg-borders', fill: false, interactive: false,
  });
  const picked = L.polygon([], {
    ...PICKED, renderer: lineRenderer, pane: 'gg-borders', fill: false, interactive: false,
  });
  return { limit, picked };
}

function cellLabels(map, data, level, mode) {
  const perPixel = metresPerPixel(map);
  const size = Math.max(12, 16 - level.depth * 1.5);
  const view = map.getBounds().pad(0.1);
  const rows = [];
  for (let row = 0; row < level.code.length; row += 1) {
    const [lon, lat] = level.spot[row];
    const room = (LABEL_ROOM * level.room[row]) / perPixel;
    if (room >= 16 && view.contains([lat, lon])) rows.push(row);
  }
  rows.sort((a, b) => level.room[b] - level.room[a]);
  return rows.map((row) => ({
    at: [level.spot[row][1], level.spot[row][0]],
    texts: cellTexts(data, level, row, mode),
    room: (LABEL_ROOM * level.room[row]) / perPixel,
    size,
    steps: [size, -size, 2 * size, -2 * size],
    bold: level.depth === 0,
    ink: '#17212a',
    halo: '#ffffffd9',
  }));
}

// The full name if it fits says less than it costs: what the level above says already is left out.
function ownName(data, level, row) {
  const name = level.cell[row];
  const above = data.levels[level.depth - 1];
  const at = above ? above.row.get(level.parent[row]) : undefined;
  const parent = at === undefined ? '' : above.cell[at];
  return parent && name.startsWith(parent) && name.length > parent.length ? name.slice(parent.length) : name;
}

function cellTexts(data, level, row, mode) {
  const code = level.code[row];
  const parent = level.parent[row];
  const short = parent && code.startsWith(parent) ? code.slice(parent.length) : code;
  if (mode === 'code') return [code, short];
  if (mode === 'households') return [countText(level.households[row])];
  const name = ownName(data, level, row);
  return [name, name.replace(/^(第?\d+号?).*$/, '$1'), short];
}
