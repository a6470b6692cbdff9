// The page of a check: a list in order, and a map that goes where it is told.
const PHONE = '(max-width: 760px)';
const LIMIT_LINE = { color: '#5a0f2e', weight: 3, opacity: 0.9 };
const CELL_LINE = { color: '#7b8791', weight: 0.8, opacity: 0.9 };
const CONCERNED = { color: '#123f73', weight: 2.4, opacity: 1, fillColor: '#9cc3ea', fillOpacity: 0.25 };
const ALL = 'all';

function startFindings() {
  const data = JSON.parse(byId('gg-data').textContent);
  const isSmall = () => window.matchMedia(PHONE).matches;
  const colours = new Map(data.grades.map(([grade, , colour]) => [grade, colour]));
  const state = { kind: ALL, level: data.levels.length - 1, picked: -1 };
  const map = L.map('map', {
    preferCanvas: true, attributionControl: false, zoomSnap: 0.25, maxZoom: 23,
  });
  L.control.scale({ imperial: false, maxWidth: 140 }).addTo(map);

  // Panes from below: cells, concerned cells, findings, labels.
  function pane(name, order) {
    const made = map.createPane(name);
    made.style.zIndex = order;
    made.style.pointerEvents = 'none';
    return { pane: name, renderer: L.canvas({ pane: name, padding: 0.2 }), interactive: false };
  }
  const lines = pane('gg-lines', 400);
  const concerned = pane('gg-concerned', 410);
  const marks = pane('gg-marks', 430);
  map.createPane('gg-labels').style.cssText += 'z-index:450;pointer-events:none';

  for (const level of data.levels) {
    level.row = new Map(level.code.map((code, row) => [code, row]));
    level.latLngs = level.shape.map((polygons) => areaLatLngs(polygons, E7));
    level.lines = L.polygon(level.latLngs.flat(), { ...lines, ...CELL_LINE, fill: false });
  }
  const limit = L.polygon(data.limit.flatMap((one) => areaLatLngs(one, E7)), {
    ...lines, ...LIMIT_LINE, fill: false,
  });
  const picked = L.polygon([], { ...concerned, ...CONCERNED });

  const shapes = new Map();
  function drawn(finding, index) {
    if (!finding.bounds) return null;
    if (!shapes.has(index)) shapes.set(index, draw(finding));
    return shapes.get(index);
  }
  function draw(finding) {
    const colour = colours.get(finding.grade);
    const group = L.layerGroup();
    const dash = finding.isHome ? '6 4' : null;
    if (finding.shape.length) {
      group.addLayer(L.polygon(areaLatLngs(finding.shape, E7), {
        ...marks, color: colour, fillColor: colour, weight: 2, dashArray: dash,
        fillOpacity: finding.isHome || finding.grade === 'rule' || finding.grade === 'allowed' ? 0.12 : 0.55,
      }));
    }
    // A gap a centimetre wide is not seen at any zoom, so each place has a ring as well.
    if (!finding.isHome) {
      const [west, south, east, north] = finding.bounds;
      group.addLayer(L.circleMarker([(south + north) / 2, (west + east) / 2], {
        ...marks, radius: 8, color: colour, weight: 2.2, fill: false,
      }));
    }
    return group;
  }

  const isShown = (finding) => state.kind === ALL || finding.kind === state.kind || finding.grade === 'allowed';
  const overview = L.layerGroup().addTo(map);
  // Beside the one that is looked at, those of other levels and the squares only hide it.
  function isDrawn(finding, index) {
    if (state.picked < 0 || state.picked === index) return isShown(finding);
    return isShown(finding) && !finding.isHome && finding.level === data.findings[state.picked].level;
  }
  function redraw() {
    overview.clearLayers();
    data.findings.forEach((finding, index) => {
      const layer = isDrawn(finding, index) ? drawn(finding, index) : null;
      if (layer) overview.addLayer(layer);
    });
  }

  const labels = new LabelLayer(() => {
    const level = data.levels[state.level];
    if (!level) return [];
    const perPixel = metresPerPixel(map);
    const view = map.getBounds().pad(0.1);
    const wanted = new Set(state.picked < 0 ? [] : data.findings[state.picked].cells);
    return level.code
      .map((code, row) => ({
        at: [level.spot[row][1], level.spot[row][0]], texts: [code], size: 12,
        room: wanted.has(code) ? 1e6 : (1.6 * level.room[row]) / perPixel, bold: wanted.has(code),
        ink: wanted.has(code) ? '#0b3b70' : '#4a565f', halo: '#ffffffd9', steps: [12, -12],
      }))
      .filter((label) => label.room >= 40 && view.contains(label.at))
      .sort((one, other) => other.room - one.room);
  }, () => []);

  function showLevel(index) {
    state.level = index;
    data.levels.forEach((level, at) => {
      if (at === index) level.lines.addTo(map);
      else level.lines.remove();
    });
    limit.remove();
    limit.addTo(map);
    for (const input of byId('gg-levels').querySelectorAll('input')) {
      input.checked = Number(input.value) === index;
    }
    labels.redraw();
  }

  function goTo(bounds) {
    const card = byId('gg-card');
    const below = isSmall() && !card.hidden ? card.offsetHeight : 0;
    const right = !isSmall() && !card.hidden ? card.offsetWidth : 0;
    map.fitBounds(bounds, {
      maxZoom: 21, paddingTopLeft: [50, 50], paddingBottomRight: [50 + right, 50 + below], animate: false,
    });
  }

  const inOrder = () => data.findings.map((one, index) => index).filter((index) => isShown(data.findings[index]));

  function pick(index) {
    const finding = data.findings[index];
    state.picked = index;
    redraw();
    const at = data.levels.findIndex((level) => level.key === finding.level);
    if (at >= 0 && at !== state.level) showLevel(at);
    const level = data.levels[state.level];
    const rows = finding.cells.map((code) => level?.row.get(code)).filter((row) => row !== undefined);
    picked.setLatLngs(rows.flatMap((row) => level.latLngs[row])).addTo(map);
    showCard(`${finding.number}. ${finding.label}`, findingFacts(finding), forget);
    byId('gg-card').append(steps(index));
    document.body.style.setProperty('--card', byId('gg-card').offsetHeight + 'px');
    for (const button of document.querySelectorAll('.gg-findings button')) {
      button.classList.toggle('on', Number(button.dataset.index) === index);
    }
    if (isSmall()) setFolded(true);
    if (finding.bounds) {
      const [west, south, east, north] = finding.bounds;
      goTo([[south, west], [north, east]]);
    } else if (rows.length) {
      goTo(L.latLngBounds(rows.flatMap((row) => level.latLngs[row].flat(2))));
    }
    labels.redraw();
  }

  function forget() {
    picked.remove();
    state.picked = -1;
    redraw();
    for (const button of document.querySelectorAll('.gg-findings button.on')) button.classList.remove('on');
    labels.redraw();
  }

  function steps(index) {
    const order = inOrder();
    const at = order.indexOf(index);
    const row = element('div', 'gg-steps');
    for (const [text, next] of [['上一处', order[at - 1]], ['下一处', order[at + 1]]]) {
      const button = element('button', '', text);
      button.type = 'button';
      button.disabled = next === undefined;
      button.addEventListener('click', () => {
        pick(next);
        document.querySelector(`.gg-findings button[data-index="${next}"]`)?.scrollIntoView({ block: 'nearest' });
      });
      row.append(button);
    }
    return row;
  }

  function findingFacts(finding) {
    return [
      ['层级', finding.levelName],
      ['网格', finding.cells.slice(0, 6).join('、') + (finding.cells.length > 6 ? ' 等' + finding.cells.length + '个' : '')],
      ['户数', countText(finding.households) + ' 户'],
      ['面积', finding.area ? areaText(finding.area) : ''],
      ['最大宽度', finding.width ? widthText(finding.width) : ''],
      ['程度', finding.severity],
      ['位置', finding.isHome ? '约 200 米方格之内' : placeText(finding.bounds)],
      ['允许的原因', finding.reason],
    ];
  }

  function findingRow(finding, index) {
    const item = element('li');
    const button = element('button');
    button.type = 'button';
    button.dataset.index = index;
    const dot = element('span', 'gg-dot');
    dot.style.background = colours.get(finding.grade);
    const main = element('span', 'gg-main');
    main.append(element('b', '', finding.label), element('span', '', finding.cells.slice(0, 3).join('、')));
    const parts = [];
    if (finding.households) parts.push(countText(finding.households) + ' 户');
    if (finding.area && finding.grade !== 'rule') parts.push(areaText(finding.area));
    const side = element('span', finding.households ? 'gg-side gg-lived' : 'gg-side', parts.join(' · '));
    button.title = [finding.levelName, ...finding.cells].filter(Boolean).join(' ');
    button.append(element('span', 'gg-no', finding.number), dot, main, side);
    button.addEventListener('click', () => pick(index));
    item.append(button);
    return item;
  }

  function listFindings() {
    const rows = [];
    const allowed = [];
    data.findings.forEach((finding, index) => {
      if (finding.grade === 'allowed') allowed.push(findingRow(finding, index));
      else if (isShown(finding)) rows.push(findingRow(finding, index));
    });
    const more = data.total - data.findings.length;
    if (more > 0) rows.push(element('li', 'gg-none', `另有 ${more} 处，见 Excel 或 GeoPackage 报告`));
    if (!rows.length) rows.push(element('li', 'gg-none', '没有发现问题'));
    byId('gg-findings').replaceChildren(...rows);
    byId('gg-allowed-part').hidden = !allowed.length;
    byId('gg-allowed').replaceChildren(...allowed);
    byId('gg-allowed-count').textContent = `${allowed.length} 处，不算问题`;
  }

  function kindChoices() {
    const counts = new Map();
    for (const finding of data.findings) {
      if (finding.grade === 'allowed') continue;
      const [label, count] = counts.get(finding.kind) || [finding.label, 0];
      counts.set(finding.kind, [label, count + 1]);
    }
    const total = [...counts.values()].reduce((sum, [, count]) => sum + count, 0);
    byId('gg-count').textContent = total ? '住着人的在前，面积大的在前' : '';
    if (counts.size < 2) return;
    const rows = [[ALL, '全部', total], ...[...counts].map(([kind, [label, count]]) => [kind, label, count])];
    byId('gg-kinds').append(...rows.map(([kind, label, count]) => choice(
      'radio', 'kind', kind, `${label} ${count}`, kind === ALL, () => {
        state.kind = kind;
        redraw();
        listFindings();
      })));
  }

  function setFolded(on) {
    document.body.classList.toggle('gg-folded', on);
    byId('gg-toggle').setAttribute('aria-expanded', String(!on));
  }

  byId('gg-title').textContent = data.title;
  byId('gg-badges').append(element('span', 'gg-badge ' + data.badge.kind, data.badge.text));
  byId('gg-people').textContent = data.people;
  byId('gg-people').classList.toggle('bad', data.isLivedIn);
  kindChoices();
  byId('gg-levels-part').hidden = data.levels.length < 2;
  byId('gg-levels').append(...data.levels.map((level, index) => choice(
    'radio', 'level', index, level.name, false, () => { forget(); byId('gg-card').hidden = true; showLevel(index); })));
  if (data.contracts.length) {
    byId('gg-contracts-part').hidden = false;
    const cells = (tag, values) => {
      const row = element('tr');
      row.append(...values.map((value) => element(tag, '', value)));
      return row;
    };
    byId('gg-contracts').append(cells('th', data.headings), ...data.contracts.map((row) => cells('td', row)));
  }
  const notes = data.remarks.map((text) => ['说明', text]);
  if (data.isCut) notes.push(['图形', '网格太多，只画问题附近的网格']);
  notes.push(['户数公布', '少于 10 户只写“<10”；不含住户点位'], ['坐标系', data.frame]);
  for (const [term, text] of notes) byId('gg-notes').append(element('dt', '', term), element('dd', '', text));
  for (const [term, text] of data.certificate) {
    byId('gg-certificate').append(element('dt', '', term), element('dd', '', text));
  }
  byId('gg-foot').append(element('span', 'gg-use', data.use), element('span', 'gg-more', `坐标系 ${data.frame}`));
  byId('gg-legend-rows').append(
    ...data.grades.map(([, text, colour]) => keyRow(text, boxKey(colour, colour))),
    keyRow('涉及的网格', boxKey(CONCERNED.fillColor, CONCERNED.color)),
    keyRow('网格边界', lineKey({ ...CELL_LINE, weight: 2 })),
    ...(data.limit.length ? [keyRow('区划范围', lineKey(LIMIT_LINE))] : []));
  byId('gg-legend').open = !isSmall();
  byId('gg-toggle').addEventListener('click', () => {
    setFolded(!document.body.classList.contains('gg-folded'));
    map.invalidateSize();
  });

  const [west, south, east, north] = data.bounds;
  map.fitBounds([[south, west], [north, east]], { padding: [16, 16], animate: false });
  labels.addTo(map);
  showLevel(state.level);
  redraw();
  listFindings();
  // On a phone the list is what one came for; without findings the map is.
  setFolded(isSmall() && !data.findings.length);
  window.geogridFindings = { map, data, state, pick, labels };
}

function widthText(metres) {
  if (metres < 0.01) return (metres * 1000).toFixed(1) + ' 毫米';
  if (metres < 1) return (metres * 100).toFixed(1) + ' 厘米';
  return metres.toFixed(2) + ' 米';
}

function placeText(bounds) {
  if (!bounds) return '';
  return `${((bounds[0] + bounds[2]) / 2).toFixed(5)}, ${((bounds[1] + bounds[3]) / 2).toFixed(5)}`;
}
