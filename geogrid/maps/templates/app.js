// Longer lists nobody reads to the end.
const MOST_RANKED = 100;
// So many rows are seen at once (see .gg-long); the rest are scrolled to.
const RANKED_SHOWN = 6;
const isSmall = () => window.matchMedia('(max-width: 760px)').matches;

// Puts the parts together; `map` is the Leaflet map that folium made.
function startMap(map) {
  const data = JSON.parse(byId('gg-data').textContent);
  const state = { level: data.levels.length > 1 ? data.firstLevel : 0, fill: 'colour', text: 'name', limit: data.firstLimit };
  map.setMaxZoom(20);
  L.control.scale({ imperial: false, maxWidth: 140 }).addTo(map);
  fillHeader(data);

  const base = data.base ? baseLayers(map, data.base) : null;
  const { limit, picked } = cellLayers(map, data);
  const ownCircle = circleLayers(map, data);
  const defects = defectLayer(map, data);
  map.createPane('gg-labels').style.cssText += 'z-index:450;pointer-events:none';
  const labels = new LabelLayer(() => {
    const found = state.text === 'none' ? [] : cellLabels(map, data, data.levels[state.level], state.text);
    return base && map.hasLayer(base) ? found.concat(streetLabels(map, data.base)) : found;
  }, () => (map.hasLayer(stations) ? data.stations.map(({ at }) => [at[1], at[0]]) : []));

  function forget() {
    picked.remove();
    ownCircle.remove();
  }

  function pickCell(level, row) {
    forget();
    picked.setLatLngs(level.latLngs[row]).addTo(map);
    showCard(level.cell[row], cellFacts(data, level, row), forget);
  }

  function pickStation(station) {
    forget();
    ownCircle.setLatLngs(areaLatLngs(station.circle, E7));
    if (station.circle.length) ownCircle.addTo(map);
    showCard(station.name, stationFacts(data, station), forget);
  }

  const stations = stationLayer(data, pickStation);

  function paint() {
    const level = data.levels[state.level];
    for (const [row, polygon] of level.polygons.entries()) {
      polygon.setStyle({
        fillColor: fillColour(data, level, row, state),
        fillOpacity: fillOpacity(),
      });
    }
    // Over shares, a filled circle would mix two meanings in one colour.
    for (const circle of data.circles) {
      const style = circleStyle(data, circle);
      circle.area.setStyle({ fillOpacity: state.fill === 'colour' ? style.fillOpacity : 0 });
    }
    byId('gg-legend-rows').replaceChildren(...legendRows(data, state, isOn));
    labels.redraw();
  }

  // Colours that only tell neighbours apart step back when a circle is to be read over them.
  function fillOpacity() {
    if (state.fill !== 'colour') return 0.62;
    return data.circles.some((circle) => isOn(circleKey(circle))) ? 0.16 : 0.42;
  }

  function showLevel(index) {
    state.level = index;
    for (const level of data.levels) {
      level.fill.remove();
      level.lines.remove();
    }
    limit.remove();
    picked.remove();
    data.levels[index].fill.addTo(map);
    limit.addTo(map);
    // The coarsest border comes last, on top of the finer ones it runs along.
    for (let depth = index; depth >= 0; depth -= 1) data.levels[depth].lines.addTo(map);
    for (const input of byId('gg-levels').querySelectorAll('input')) {
      input.checked = Number(input.value) === index;
    }
    paint();
    listUnserved();
  }

  function goTo(bounds) {
    fold();
    const card = byId('gg-card');
    const below = isSmall() && !card.hidden ? card.offsetHeight : 0;
    map.fitBounds(bounds, {
      maxZoom: 18, paddingTopLeft: [30, 30], paddingBottomRight: [30, 30 + below], animate: false,
    });
  }

  function goToCell(index, row) {
    showLevel(index);
    const level = data.levels[index];
    pickCell(level, row);
    goTo(L.latLngBounds(level.latLngs[row].flat(2)));
  }

  function goToStation(station) {
    toggle('stations', true);
    fold();
    pickStation(station);
    const place = L.latLng(station.at[1], station.at[0]);
    // Beyond the limit there is nothing to see but the way back to the district.
    if (station.outside) goTo(limit.getBounds().extend(place));
    else map.setView(place, 16, { animate: false });
  }

  function goToDefect(defect) {
    toggle('defects', true);
    if (defect.bounds) {
      const [west, south, east, north] = defect.bounds;
      goTo([[south, west], [north, east]]);
      return;
    }
    const index = data.levels.findIndex((level) => level.row.has(defect.cells[0]));
    if (index >= 0) goToCell(index, data.levels[index].row.get(defect.cells[0]));
  }

  // Layers that can be switched; the order here is the order in the panel.
  const overlays = new Map();
  const isOn = (key) => overlays.has(key) && map.hasLayer(overlays.get(key).layer);
  function overlay(key, text, layer, shown) {
    const label = choice('checkbox', 'overlay', key, text, shown, (on) => toggle(key, on));
    overlays.set(key, { layer, input: label.querySelector('input') });
    byId('gg-overlays').append(label);
    if (shown) layer.addTo(map);
  }
  function toggle(key, on) {
    const { layer, input } = overlays.get(key);
    input.checked = on;
    if (on) layer.addTo(map);
    else layer.remove();
    paint();
  }

  function listUnserved() {
    const level = data.levels[state.level];
    byId('gg-unserved-part').hidden = !level.unserved;
    if (!level.unserved) return;
    const ranked = level.ranked[state.limit];
    const hidden = level.unserved[state.limit].filter((count) => count < 0).length;
    const many = ranked.length > RANKED_SHOWN ? ` · 共 ${ranked.length} 个，可滚动` : '';
    byId('gg-unserved-unit').textContent = `${level.name} · ${data.limits[state.limit]}服务圈外${many}`;
    const rows = ranked.slice(0, MOST_RANKED).map((row) => rankedRow(level, row));
    const more = ranked.length - rows.length;
    if (more > 0) rows.push(element('li', 'gg-none', `其余 ${more} 个见方案文件`));
    if (!ranked.length && !hidden) rows.push(element('li', 'gg-none', '没有盲区住户'));
    byId('gg-unserved').replaceChildren(...rows);
    byId('gg-unserved').classList.toggle('gg-long', ranked.length > RANKED_SHOWN);
    byId('gg-unserved').scrollTop = 0;
    byId('gg-unserved-hidden').hidden = !hidden;
    byId('gg-unserved-hidden').textContent = `${hidden} 个网格的盲区户数不公布，未列入`;
  }

  function rankedRow(level, row) {
    const share = level.share[state.limit][row];
    const side = `${countText(level.unserved[state.limit][row])} 户 · ${percent(share)}`;
    const names = [...parentNames(data, level, row), ownName(data, level, row)];
    const item = listButton(names.slice(-2).join(' › '), side, () => goToCell(state.level, row));
    item.title = level.cell[row];
    const bar = element('span', 'gg-bar');
    bar.style.width = share * 100 + '%';
    const track = element('span', 'gg-track');
    track.append(bar);
    item.querySelector('button').append(track);
    return item;
  }

  function listDefects() {
    byId('gg-defects-count').textContent = data.checked ? `${data.defectCount} 处` : '';
    const none = data.checked ? '检查未发现问题' : '尚未检查';
    const rows = data.defects.map((defect) => listButton(
      [defect.label, ...defect.cells.slice(0, 3)].join(' '), defectText(defect), () => goToDefect(defect)));
    byId('gg-defects').replaceChildren(...(rows.length ? rows : [element('li', 'gg-none', none)]));
  }

  function fold() {
    if (isSmall()) setFolded(true);
  }
  function setFolded(on) {
    document.body.classList.toggle('gg-folded', on);
    byId('gg-toggle').setAttribute('aria-expanded', String(!on));
  }

  const levelChoices = data.levels.map((level, index) => choice(
    'radio', 'level', index, level.name, false, () => showLevel(index)));
  byId('gg-levels').append(...levelChoices);
  const fills = [['colour', '相邻异色'], ['band', '户数达标']];
  if (data.levels.some((level) => level.unserved)) fills.push(['unserved', '盲区占比']);
  byId('gg-fills').append(...fills.map(([value, text]) => choice(
    'radio', 'fill', value, text, value === state.fill, () => { state.fill = value; paint(); })));
  byId('gg-limits-part').hidden = !data.limits.length;
  byId('gg-limits').append(...data.limits.map((text, limit) => choice(
    'radio', 'limit', limit, text, limit === state.limit, () => {
      state.limit = limit;
      paint();
      listUnserved();
    })));
  const texts = [['name', '名称'], ['code', '编码'], ['households', '户数'], ['none', '无']];
  byId('gg-texts').append(...texts.map(([value, text]) => choice(
    'radio', 'text', value, text, value === state.text, () => { state.text = value; labels.redraw(); })));

  map.fitBounds([[data.district.bounds[1], data.district.bounds[0]],
    [data.district.bounds[3], data.district.bounds[2]]], {
    paddingTopLeft: [12, 12], paddingBottomRight: [isSmall() ? 12 : 120, 12], animate: false,
  });
  if (base) overlay('base', '底图', base, true);
  for (const circle of data.circles) {
    overlay(circleKey(circle), circle.label + '服务圈', circle.layer, false);
  }
  if (data.stations.length) overlay('stations', '服务站', stations, true);
  if (data.defects.length) overlay('defects', '问题位置', defects, true);
  window.geogridTiles?.forEach(([text, layers]) => {
    const group = L.layerGroup(layers);
    overlay('tiles-' + text, text, group, true);
    if (base) toggle('base', false);
  });

  labels.addTo(map);
  showLevel(state.level);
  listDefects();
  for (const [index, level] of data.levels.entries()) {
    for (const [row, polygon] of level.polygons.entries()) {
      polygon.on('click', () => pickCell(data.levels[index], row));
      bindTip(polygon, () => cellTip(data, level, row), { sticky: true });
    }
  }
  // A click leaves the focus on the map, a frame around it would only disturb; Tab shows where it is.
  document.addEventListener('keydown', (event) => {
    if (event.key === 'Tab') document.body.classList.add('gg-keys');
  });
  document.addEventListener('pointerdown', () => document.body.classList.remove('gg-keys'));
  startSearch(data, goToCell, goToStation);
  byId('gg-toggle').addEventListener('click', () => {
    setFolded(!document.body.classList.contains('gg-folded'));
    map.invalidateSize();
  });
  setFolded(isSmall());
  byId('gg-legend').open = !isSmall();
  window.geogridMap = { map, data, state, labels, cellTip: (level, row) => cellTip(data, level, row) };
}
