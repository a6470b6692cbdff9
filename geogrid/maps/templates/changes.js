// Before and after of a change, and the places where something changed.
const SIDE_STYLES = [
  { color: '#7a4fa3', weight: 1.6, dashArray: '5 4', fillColor: '#b9a3d1', fillOpacity: 0.1 },
  { color: '#2f4b5c', weight: 1.8, fillColor: '#9cc3b5', fillOpacity: 0.25 },
];
const PLACE_RADIUS = 9;
const isSmall = () => window.matchMedia('(max-width: 760px)').matches;

function startMap(map) {
  const data = JSON.parse(byId('gg-data').textContent);
  const state = { side: data.sides.length, text: 'code' };
  map.setMaxZoom(22);
  L.control.scale({ imperial: false, maxWidth: 140 }).addTo(map);
  fillChangeHeader(data);

  const limit = L.polygon(areaLatLngs(data.limit, E7), {
    ...LIMIT_STYLE, fill: false, interactive: false,
  }).addTo(map);
  const sides = data.sides.map((side, index) => sideLayer(side, index));
  const pane = map.createPane('gg-places');
  pane.style.cssText += 'z-index:440;pointer-events:none';
  const renderer = L.canvas({ pane: 'gg-places', padding: 0.2 });
  const lists = data.lists.map((list) => placeLayer(list, renderer).addTo(map));
  map.createPane('gg-labels').style.cssText += 'z-index:450;pointer-events:none';
  const labels = new LabelLayer(() => {
    if (state.text === 'none') return [];
    const side = data.sides[Math.min(state.side, data.sides.length - 1)];
    return sideLabels(map, side, state.text);
  }, () => []);
  labels.addTo(map);

  function show(side) {
    state.side = side;
    for (const [index, layer] of sides.entries()) {
      const isOn = side === data.sides.length || side === index;
      if (isOn) layer.addTo(map);
      else layer.remove();
      // Two fills over each other would mix into a third colour.
      const isBoth = side === data.sides.length && index === 0;
      layer.setStyle({ fillOpacity: isBoth ? 0 : SIDE_STYLES[index].fillOpacity });
    }
    legend();
    labels.redraw();
  }

  function legend() {
    const rows = [keyRow('范围', lineKey({ ...LIMIT_STYLE, weight: 8 }))];
    for (const [index, side] of data.sides.entries()) {
      if (map.hasLayer(sides[index])) rows.push(keyRow(side.name + '网格', lineKey(SIDE_STYLES[index])));
    }
    for (const [index, list] of data.lists.entries()) {
      if (map.hasLayer(lists[index])) rows.push(keyRow(list.title, boxKey(list.colour, list.colour)));
    }
    byId('gg-legend-rows').replaceChildren(...rows);
  }

  function goTo([west, south, east, north]) {
    if (isSmall()) fold(true);
    map.fitBounds([[south, west], [north, east]], { maxZoom: 21, padding: [60, 60], animate: false });
  }

  const picked = L.rectangle([[0, 0], [0, 0]], { weight: 2, dashArray: '4 4', fill: false, interactive: false });
  function pick([west, south, east, north], color) {
    goTo([west, south, east, north]);
    picked.setBounds(L.latLngBounds([[south, west], [north, east]]).pad(0.15)).setStyle({ color }).addTo(map);
  }

  function listSection(list, index) {
    const section = element('section');
    const title = element('h2', '', list.title + ' ');
    title.append(element('small', '', `${list.count} 处`));
    const rows = list.rows.map((row) => listButton(row.main, row.side, () => {
      toggle(index, true);
      showCard(row.main, [[list.title, row.side]], () => picked.remove());
      if (row.bounds) pick(row.bounds, list.colour);
    }));
    const more = list.count - list.rows.length;
    if (more > 0) rows.push(element('li', 'gg-none', `其余 ${more} 处见清单文件`));
    const items = element('ul', 'gg-list gg-places');
    items.append(...rows);
    section.append(title, items);
    return section;
  }

  const inputs = [];
  function toggle(index, on) {
    inputs[index].checked = on;
    if (on) lists[index].addTo(map);
    else lists[index].remove();
    legend();
  }
  for (const [index, list] of data.lists.entries()) {
    const label = choice('checkbox', 'overlay', index, list.title, true, (on) => toggle(index, on));
    inputs.push(label.querySelector('input'));
    byId('gg-overlays').append(label);
  }
  byId('gg-lists').append(...data.lists.map(listSection));
  if (!data.lists.length) byId('gg-lists').append(element('p', 'gg-none', '没有变化'));

  const names = [...data.sides.map((side) => side.name), '前后叠加'];
  byId('gg-sides').append(...names.map((text, index) => choice(
    'radio', 'side', index, text, index === state.side, () => show(index))));
  const texts = [['code', '编码'], ['cell', '名称'], ['none', '无']];
  byId('gg-texts').append(...texts.map(([value, text]) => choice(
    'radio', 'text', value, text, value === state.text, () => { state.text = value; labels.redraw(); })));

  function fold(on) {
    document.body.classList.toggle('gg-folded', on);
    byId('gg-toggle').setAttribute('aria-expanded', String(!on));
  }
  byId('gg-toggle').addEventListener('click', () => {
    fold(!document.body.classList.contains('gg-folded'));
    map.invalidateSize();
  });
  fold(isSmall());
  byId('gg-legend').open = !isSmall();
  // The strip below the map has its text only now, so the map is lower than it was made.
  map.invalidateSize({ animate: false });
  map.fitBounds(limit.getBounds(), { padding: [14, 14], animate: false });
  show(state.side);
  window.geogridMap = { map, data, state, labels };
}

function fillChangeHeader(data) {
  document.documentElement.lang = 'zh-CN';
  byId('gg-title').textContent = data.title;
  byId('gg-badges').append(...data.badges.map(([text, kind]) => element('span', 'gg-badge ' + kind, text)));
  for (const [term, text] of data.notes) {
    byId('gg-notes').append(element('dt', '', term), element('dd', '', text));
  }
  for (const [kind, text] of data.foot) byId('gg-foot').append(element('span', 'gg-' + kind, text));
}

function sideLayer(side, index) {
  const layers = side.shape.map((shape, row) => {
    const polygon = L.polygon(areaLatLngs(shape, E7), SIDE_STYLES[index]);
    bindTip(polygon, () => `${side.name} ${side.code[row]} ${side.cell[row]}`, { sticky: true });
    return polygon;
  });
  return L.featureGroup(layers);
}

function placeLayer(list, renderer) {
  const group = L.layerGroup();
  const options = {
    renderer, pane: 'gg-places', interactive: false, color: list.colour, weight: 2,
    fillColor: list.colour, fillOpacity: 0.55,
  };
  for (const row of list.rows) {
    if (!row.bounds) continue;
    // What has no ground of its own is a whole cell to look at: the list leads there.
    if (!row.shape.length) continue;
    group.addLayer(L.polygon(areaLatLngs(row.shape, E7), options));
    // A strip a centimetre wide is not seen at any zoom, so each place gets a ring as well.
    const [west, south, east, north] = row.bounds;
    group.addLayer(L.circleMarker([(south + north) / 2, (west + east) / 2], {
      ...options, radius: PLACE_RADIUS, fill: false,
    }));
  }
  return group;
}

function sideLabels(map, side, text) {
  const scale = metresPerPixel(map);
  const order = side.code.map((_, row) => row).sort((one, two) => side.room[two] - side.room[one]);
  return order.map((row) => ({
    at: [side.spot[row][1], side.spot[row][0]], texts: [side[text][row]],
    room: (side.room[row] * LABEL_ROOM) / scale, size: 12, ink: '#1f2a33', halo: '#ffffffd0',
  }));
}
