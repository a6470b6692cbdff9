// The panel beside the map: choices, lists, notes, legend.
function choice(kind, group, value, text, checked, onChange) {
  const label = element('label');
  const input = document.createElement('input');
  input.type = kind;
  input.name = 'gg-' + group;
  input.value = value;
  input.checked = checked;
  input.addEventListener('change', () => onChange(input.checked, value));
  label.append(input, element('span', '', text));
  return label;
}

function listButton(main, side, onClick) {
  const item = element('li');
  const button = element('button');
  button.type = 'button';
  const text = element('span', 'gg-main', main);
  button.append(text, element('span', 'gg-side', side));
  button.addEventListener('click', onClick);
  item.append(button);
  return item;
}

function fillHeader(data) {
  document.documentElement.lang = 'zh-CN';
  byId('gg-title').textContent = data.title;
  const badges = [[data.badge.text, data.badge.proven ? 'good' : 'bad']];
  for (const flag of data.flags) badges.push([flag, 'warn']);
  byId('gg-badges').append(...badges.map(([text, kind]) => element('span', 'gg-badge ' + kind, text)));
  for (const [term, text] of data.notes) {
    byId('gg-notes').append(element('dt', '', term), element('dd', '', text));
  }
  for (const [kind, text] of data.foot) byId('gg-foot').append(element('span', 'gg-' + kind, text));
}

function facts(rows) {
  const list = element('dl');
  for (const [term, text] of rows) {
    if (text === '' || text === null || text === undefined) continue;
    list.append(element('dt', '', term), element('dd', '', text));
  }
  return list;
}

function showCard(title, rows, onClose) {
  const card = byId('gg-card');
  const close = element('button', 'gg-close', '×');
  close.type = 'button';
  close.title = '关闭';
  // What stands at the bottom of a phone's map moves above the card.
  const lift = () => document.body.style.setProperty('--card', card.offsetHeight + 'px');
  close.addEventListener('click', () => { card.hidden = true; lift(); onClose(); });
  card.replaceChildren(element('h3', '', title), facts(rows), close);
  card.hidden = false;
  lift();
}

function cellFacts(data, level, row) {
  const households = level.households[row];
  const estimated = data.isEstimated && households !== 0 ? '（估算）' : '';
  return [
    ['层级', level.name],
    ['编码', level.code[row]],
    ['类型', level.kind[row]],
    ['户数', countText(households) + ' 户' + estimated],
    ['户数标准', level.band],
    ['是否达标', level.band ? BAND_TEXTS[bandKey(level, row)] : ''],
    ['面积', areaText(level.area[row])],
    ['上级', parentNames(data, level, row).join(' › ') || data.district.name],
    ...unservedFacts(data, level, row),
  ];
}

function unservedText(level, row, limit) {
  const count = level.unserved[limit][row];
  if (count < 0) return '不公布';
  const share = level.share[limit][row];
  return `${countText(count)} 户` + (share === null ? '' : `（${percent(share)}）`);
}

function unservedFacts(data, level, row) {
  if (!level.unserved) return [];
  return data.limits.map((label, limit) => [`${label}盲区`, unservedText(level, row, limit)]);
}

function percent(share) {
  return (share * 100).toFixed(share > 0 && share < 0.1 ? 1 : 0) + '%';
}

function keyRow(text, swatch) {
  const ns = 'http:\u002f\u002fwww.w3.org/2000/svg';
  const svg = document.createElementNS(ns, 'svg');
  svg.setAttribute('width', 26);
  svg.setAttribute('height', 14);
  for (const [tag, values] of swatch) {
    const shape = document.createElementNS(ns, tag);
    for (const [name, value] of Object.entries(values)) shape.setAttribute(name, value);
    svg.append(shape);
  }
  const row = element('div', 'gg-key');
  row.append(svg, element('span', '', text));
  return row;
}

const BOX = { x: 3, y: 1.5, width: 20, height: 11 };
const boxKey = (fill, stroke) => [['rect', {
  ...BOX, fill, 'fill-opacity': 0.75, stroke: stroke || '#8a949c',
}]];
// As drawn on the map: the same fill, line and dashes.
const areaKey = (style) => [['rect', {
  ...BOX, fill: style.fillColor, 'fill-opacity': style.fillOpacity, stroke: style.color,
  'stroke-width': style.weight, 'stroke-dasharray': style.dashArray || '',
}]];
const stripeKey = () => [
  ['rect', { ...BOX, fill: KEPT_BACK.paper, stroke: '#8a949c' }],
  ...[3, 10, 17].map((x) => ['line', {
    x1: x, y1: 12.5, x2: x + 6, y2: 1.5, stroke: KEPT_BACK.stripe, 'stroke-width': 2,
  }]),
];
const pinKey = (fill) => [['circle', { cx: 13, cy: 7, r: 5, fill, stroke: '#fff' }]];
const lineKey = (style) => [['line', {
  x1: 1, y1: 7, x2: 25, y2: 7, stroke: style.color, 'stroke-width': style.weight,
  'stroke-dasharray': style.dashArray || '', 'stroke-opacity': style.opacity || 1,
}]];

function bandRows(level) {
  const rows = [element('h4', '', `${level.name}：${level.band || '未规定户数'}`)];
  const there = new Set(level.code.map((_, row) => bandKey(level, row)));
  for (const key of ['-1', '0', '1', 'null', 'hidden']) {
    if (!there.has(key)) continue;
    rows.push(keyRow(BAND_TEXTS[key], key === 'hidden' ? stripeKey() : boxKey(BAND_COLOURS[key])));
  }
  return rows;
}

function unservedRows(data, level, limit) {
  const rows = [element('h4', '', `${data.limits[limit]}服务圈外住户占比`)];
  for (const [, colour, text] of UNSERVED_STEPS) rows.push(keyRow(text, boxKey(colour)));
  const isHidden = level.unserved[limit].map((count) => count < 0);
  if (level.share[limit].some((share, row) => share === null && !isHidden[row])) {
    rows.push(keyRow('无住户', boxKey(NO_COUNT)));
  }
  if (isHidden.some(Boolean)) rows.push(keyRow('不公布（户数过少或可反推）', stripeKey()));
  return rows;
}

function stationRows(data) {
  const text = data.hasStandIns ? '服务站（以现有设施代替）' : '服务站';
  const rows = [];
  if (data.stations.some((station) => !station.off)) rows.push(keyRow(text, pinKey(PIN_COLOURS.on)));
  if (data.stations.some((station) => station.off)) {
    rows.push(keyRow('离路网过远的服务站', pinKey(PIN_COLOURS.off)));
  }
  return rows;
}

// Only what is on the map now; `isOn` tells whether a layer is.
function legendRows(data, state, isOn) {
  const level = data.levels[state.level];
  const rows = [keyRow('区划范围', lineKey({ ...LIMIT_STYLE, weight: 8 }))];
  for (const above of data.levels.slice(0, state.level + 1)) {
    rows.push(keyRow(above.name + '边界', lineKey(borderOf(above.depth))));
  }
  if (state.fill === 'band') rows.push(...bandRows(level));
  else if (state.fill === 'unserved') rows.push(...unservedRows(data, level, state.limit));
  else rows.push(keyRow('颜色仅区分相邻网格', boxKey(data.palette[0])));
  for (const circle of data.circles) {
    if (!isOn(circleKey(circle))) continue;
    const style = circleStyle(data, circle);
    const shown = state.fill === 'colour' ? style : { ...style, fillOpacity: 0 };
    rows.push(keyRow(circle.label + '服务圈', areaKey(shown)));
  }
  if (isOn('stations')) rows.push(...stationRows(data));
  if (isOn('defects')) {
    rows.push(keyRow('问题位置', boxKey(DEFECT_STYLE.fillColor, DEFECT_STYLE.color)));
  }
  return rows;
}

const circleKey = (circle) => 'circle-' + circle.label;
