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
  close.addEventListener('click', () => { card.hidden = true; onClose(); });
  card.replaceChildren(element('h3', '', title), facts(rows), close);
  card.hidden = false;
}

function cellFacts(data, level, row) {
  const parents = [];
  let code = level.parent[row];
  for (let depth = level.depth - 1; depth >= 0; depth -= 1) {
    const above = data.levels[depth];
    const at = above.row.get(code);
    if (at === undefined) continue;
    parents.unshift(above.cell[at]);
    code = above.parent[at];
  }
  const households = level.households[row];
  const estimated = data.isEstimated && households !== 0 ? '（估算）' : '';
  const unserved = level.unserved && level.unserved[row] !== null
    ? countText(level.unserved[row]) + ' 户' + (level.share[row] === null ? '' : `（${percent(level.share[row])}）`)
    : '';
  return [
    ['层级', level.name],
    ['编码', level.code[row]],
    ['类型', level.kind[row]],
    ['户数', countText(households) + ' 户' + estimated],
    ['户数标准', level.band],
    ['是否达标', level.band ? BAND_TEXTS[level.inBand[row]] : ''],
    ['面积', areaText(level.area[row])],
    ['上级', parents.join(' › ') || data.district.name],
    ['盲区户数', unserved],
  ];
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

const boxKey = (fill, stroke) => [['rect', {
  x: 3, y: 1, width: 20, height: 12, fill, 'fill-opacity': 0.75, stroke: stroke || '#8a949c',
}]];
const lineKey = (style) => [['line', {
  x1: 1, y1: 7, x2: 25, y2: 7, stroke: style.color, 'stroke-width': style.weight,
  'stroke-dasharray': style.dashArray || '', 'stroke-opacity': style.opacity || 1,
}]];

function legendRows(data, state) {
  const level = data.levels[state.level];
  const rows = [keyRow('区划范围', lineKey({ ...LIMIT_STYLE, weight: 8 }))];
  for (const above of data.levels.slice(0, state.level + 1)) {
    rows.push(keyRow(above.name + '边界', lineKey(borderOf(above.depth))));
  }
  if (state.fill === 'band') {
    rows.push(element('h4', '', level.band ? `${level.name}：${level.band}` : `${level.name}：未规定户数`));
    for (const value of ['-1', '0', '1', 'null']) {
      if (level.inBand.some((one) => String(one) === value)) {
        rows.push(keyRow(BAND_TEXTS[value], boxKey(BAND_COLOURS[value])));
      }
    }
  } else if (state.fill === 'unserved') {
    rows.push(element('h4', '', `${data.unservedLabel}住户占比`));
    for (const [, colour, text] of UNSERVED_STEPS) rows.push(keyRow(text, boxKey(colour)));
    rows.push(keyRow('无住户或不公布', boxKey(NO_COUNT)));
  } else {
    rows.push(keyRow('颜色仅区分相邻网格', boxKey(data.palette[0])));
  }
  for (const circle of data.circles) {
    const style = circleStyle(data, circle);
    rows.push(keyRow(circle.label + '服务圈', boxKey(style.fillColor, style.color)));
  }
  if (data.stations.length) {
    rows.push(keyRow(data.hasStandIns ? '服务站（以现有设施代替）' : '服务站', [['circle', {
      cx: 13, cy: 7, r: 5, fill: '#c62828', stroke: '#fff',
    }]]));
  }
  if (data.defects.length) rows.push(keyRow('问题位置', boxKey(DEFECT_STYLE.fillColor, DEFECT_STYLE.color)));
  return rows;
}
