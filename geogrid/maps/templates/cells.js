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
// Nobody lives there, or no standard applies: plain grey. A number that is kept back: stripes.
const NO_COUNT = '#c3c9cd';
const KEPT_BACK = { paper: '#f4f1e8', stripe: '#7d6f8f' };
const BAND_COLOURS = { '-1': '#5d9bd3', 0: '#86bd83', 1: '#dd6b53', null: NO_COUNT };
const BAND_TEXTS = {
  '-1': '低于户数标准', 0: '符合户数标准', 1: '高于户数标准', null: '不参与户数标准', hidden: '户数不公布',
};
const UNSERVED_STEPS = [
  [0, '#e4efe6', '0%'],
  [0.1, '#fde6c8', '不超过 10%'],
  [0.3, '#f8b581', '10%–30%'],
  [0.6, '#e5754f', '30%–60%'],
  [1, '#a92a2a', '60% 以上'],
];
// Cells are mostly wider than the largest circle inside them.
const LABEL_ROOM = 2.3;
// A level is lettered in one way; in full only where most of its cells have room for that.
const FULL_SHARE = 0.7;
const FULL_SIZE = 16;

function borderOf(depth) {
  return BORDERS[Math.min(depth, BORDERS.length - 1)];
}

let stripes = null;
// A canvas takes a pattern wherever it takes a colour.
function stripePattern() {
  if (stripes) return stripes;
  const tile = document.createElement('canvas');
  tile.width = 8;
  tile.height = 8;
  const pen = tile.getContext('2d');
  pen.fillStyle = KEPT_BACK.paper;
  pen.fillRect(0, 0, 8, 8);
  pen.strokeStyle = KEPT_BACK.stripe;
  pen.lineWidth = 2;
  for (const start of [-8, 0, 8]) {
    pen.moveTo(start - 1, 9);
    pen.lineTo(start + 9, -1);
  }
  pen.stroke();
  stripes = pen.createPattern(tile, 'repeat');
  return stripes;
}

function bandKey(level, row) {
  const band = level.inBand[row];
  if (band !== null) return String(band);
  return level.band && !level.unjudged.includes(level.kind[row]) ? 'hidden' : 'null';
}

function unservedColour(level, row, limit) {
  const share = level.share[limit][row];
  if (level.unserved[limit][row] < 0) return stripePattern();
  if (share === null) return NO_COUNT;
  return UNSERVED_STEPS.find(([top]) => share <= top)[1];
}

function fillColour(data, level, row, state) {
  if (state.fill === 'band') {
    const key = bandKey(level, row);
    return key === 'hidden' ? stripePattern() : BAND_COLOURS[key];
  }
  if (state.fill === 'unserved' && level.share) return unservedColour(level, row, state.limit);
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
  const size = Math.max(12, FULL_SIZE - level.depth * 1.5);
  const text = labelText(data, level, mode, size, perPixel);
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
    texts: [text(row)],
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

function shortName(data, level, row) {
  return ownName(data, level, row)
    .replace(/^第?(\d+)(?:号|网格|总网格|微网格|片).*$/, '$1号')
    .replace(/(?:居民委员会|村民委员会|村委会|居委会)$/, (end) => (end.startsWith('村') ? '村' : ''));
}

function shortCode(level, row) {
  const code = level.code[row];
  const parent = level.parent[row];
  return parent && code.startsWith(parent) ? code.slice(parent.length) : code;
}

// Gives the text of a cell by row: all in full or all short, whatever part of the map is in view.
function labelText(data, level, mode, size, perPixel) {
  if (mode === 'households') return (row) => countText(level.households[row]);
  const full = mode === 'code' ? (row) => level.code[row] : (row) => ownName(data, level, row);
  const short = mode === 'code' ? (row) => shortCode(level, row) : (row) => shortName(data, level, row);
  const pen = document.createElement('canvas').getContext('2d');
  pen.font = `${level.depth === 0 ? 'bold ' : ''}${size}px ${LABEL_FONT}`;
  const fitting = level.code.filter(
    (_, row) => pen.measureText(full(row)).width <= (LABEL_ROOM * level.room[row]) / perPixel);
  return fitting.length >= FULL_SHARE * level.code.length ? full : short;
}

// Names of the cells above, coarse to fine.
function parentNames(data, level, row) {
  const names = [];
  let code = level.parent[row];
  for (let depth = level.depth - 1; depth >= 0; depth -= 1) {
    const above = data.levels[depth];
    const at = above.row.get(code);
    if (at === undefined) continue;
    names.unshift(ownName(data, above, at));
    code = above.parent[at];
  }
  return names;
}

function cellTip(data, level, row) {
  const names = [...parentNames(data, level, row), ownName(data, level, row)];
  return `${names.join(' › ')} · ${countText(level.households[row])} 户`;
}
