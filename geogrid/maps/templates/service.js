// Stations, their circles, and what the check found.
// Blue and orange stay apart for every eye; a line of its own kind tells them apart in grey.
const CIRCLE_STYLES = [
  { color: '#0b3fb3', fillColor: '#2f6bff', fillOpacity: 0.3, weight: 2.6 },
  { color: '#c75200', fillColor: '#ff9a3d', fillOpacity: 0.16, weight: 2.6, dashArray: '8 5' },
  { color: '#5e1a8a', fillColor: '#a98bd0', fillOpacity: 0.14, weight: 2.6, dashArray: '2 5' },
];
const CASING = { color: '#ffffff', weight: 5.5, opacity: 0.85, fill: false };
const PIN_COLOURS = { on: '#c62828', off: '#8a949c' };
const DEFECT_STYLE = { color: '#d4005a', fillColor: '#ff2f87', fillOpacity: 0.6, weight: 2.5 };

function circleStyle(data, circle) {
  return CIRCLE_STYLES[Math.min(data.circles.indexOf(circle), CIRCLE_STYLES.length - 1)];
}

// A finger has no hover: a tip would only stay over what was tapped.
function bindTip(layer, text, options) {
  if (!window.matchMedia('(hover: hover)').matches) return;
  layer.bindTooltip(() => element('span', '', text()), { className: 'gg-tip', ...options });
}

function circleLayers(map, data) {
  const pane = map.createPane('gg-circles');
  pane.style.zIndex = 420;
  pane.style.pointerEvents = 'none';
  const renderer = L.canvas({ pane: 'gg-circles', padding: 0.2 });
  const shared = { renderer, pane: 'gg-circles', interactive: false };
  for (const circle of data.circles) {
    const rings = areaLatLngs(circle.shape, E7);
    // A pale line below keeps the dark one readable over any cell.
    circle.area = L.polygon(rings, { ...shared, ...circleStyle(data, circle) });
    circle.layer = L.layerGroup([L.polygon(rings, { ...shared, ...CASING }), circle.area]);
  }
  return L.polygon([], { ...shared, color: '#c62828', weight: 2.5, fill: false });
}

function stationLayer(data, onPick) {
  const group = L.layerGroup();
  for (const station of data.stations) {
    // Leaflet moves the outer element by a transform, so the pin inside carries the turn.
    const pin = element('div', station.off ? 'gg-pin off' : 'gg-pin');
    const icon = L.divIcon({ className: 'gg-station', html: pin, iconSize: null });
    const marker = L.marker([station.at[1], station.at[0]], { icon, keyboard: false });
    // To the side where there is room: above, a long name would leave the map at its edges.
    bindTip(marker, () => station.name, { direction: 'auto', offset: [0, -10] });
    marker.on('click', () => onPick(station));
    station.marker = marker;
    group.addLayer(marker);
  }
  return group;
}

function stationFacts(data, station) {
  const largest = data.circles.at(-1);
  const within = largest ? `（${largest.label}内）` : '';
  return [
    ['编号', station.id],
    ['位置', station.outside ? '区划范围以外' : ''],
    ['说明', station.standIn ? `以${station.standIn}代替服务站` : ''],
    ['状态', station.status],
    ['服务户数' + within, station.households === null ? '' : countText(station.households) + ' 户'],
  ];
}

function defectLayer(map, data) {
  const pane = map.createPane('gg-defects');
  pane.style.zIndex = 440;
  pane.style.pointerEvents = 'none';
  const renderer = L.canvas({ pane: 'gg-defects', padding: 0.2 });
  const group = L.layerGroup();
  for (const defect of data.defects) {
    if (!defect.bounds) continue;
    const options = { ...DEFECT_STYLE, renderer, pane: 'gg-defects', interactive: false };
    if (defect.shape.length) group.addLayer(L.polygon(areaLatLngs(defect.shape, E7), options));
    // A gap a centimetre wide is not seen at any zoom, so each place gets a ring as well.
    const [west, south, east, north] = defect.bounds;
    group.addLayer(L.circleMarker([(south + north) / 2, (west + east) / 2], {
      ...options, radius: 9, fill: false,
    }));
  }
  return group;
}

function defectText(defect) {
  const parts = [];
  if (defect.area) parts.push(areaText(defect.area));
  if (defect.households) parts.push(countText(defect.households) + ' 户');
  return parts.join(' · ');
}
