// The quiet base map: everything on one canvas that takes no clicks.
const BASE_STYLE = {
  waters: { color: '#9fc3dc', weight: 0.6, fillColor: '#c5dff0', fillOpacity: 1 },
  rivers: { color: '#9fc3dc', wide: 3 },
  buildings: { color: '#cfc8bb', weight: 0.5, fillColor: '#ddd7cb', fillOpacity: 1 },
  path: { color: '#cdc6ba', wide: 0.9, dashArray: '3 3', from: 15 },
  minor: { color: '#c2bbae', wide: 2.6, from: 13 },
  medium: { color: '#b4aa98', wide: 4.2 },
  major: { color: '#a5987f', wide: 6 },
  rails: { color: '#8d8d8d', wide: 1.6, dashArray: '7 4' },
};
const BASE_ORDER = ['waters', 'rivers', 'buildings', 'path', 'minor', 'medium', 'major', 'rails'];

function baseLayers(map, base) {
  const pane = map.createPane('gg-base');
  pane.style.zIndex = 210;
  pane.style.pointerEvents = 'none';
  const renderer = L.canvas({ pane: 'gg-base', padding: 0.2 });
  const group = L.layerGroup();
  const drawn = {};
  const shared = { renderer, pane: 'gg-base', interactive: false };
  for (const name of BASE_ORDER) {
    const style = BASE_STYLE[name];
    const shapes = base.streets[name] || base[name];
    if (!shapes || !shapes.length) continue;
    drawn[name] = style.fillColor
      ? L.polygon(areaLatLngs(shapes, E6), { ...shared, ...style })
      : L.polyline(shapes.map((steps) => latLngs(steps, E6)), { ...shared, ...style });
  }

  function restyle() {
    const zoom = map.getZoom();
    group.clearLayers();
    for (const name of BASE_ORDER) {
      const style = BASE_STYLE[name];
      if (!drawn[name] || zoom < (style.from || 0)) continue;
      if (name === 'buildings' && zoom < 14.5) continue;
      if (style.wide) {
        const weight = Math.min(style.wide * 2, Math.max(0.6, style.wide * 2 ** (zoom - 16)));
        drawn[name].setStyle({ weight });
      }
      group.addLayer(drawn[name]);
    }
  }
  map.on('zoomend', () => { if (map.hasLayer(group)) restyle(); });
  group.on('add', restyle);
  return group;
}

function streetLabels(map, base) {
  const zoom = map.getZoom();
  const from = { major: 13, medium: 14, minor: 16 };
  return base.names
    .filter((street) => zoom >= from[street[4]])
    .map(([name, lon, lat, degrees]) => {
      let turn = (-degrees * Math.PI) / 180;
      if (turn > Math.PI / 2) turn -= Math.PI;
      if (turn < -Math.PI / 2) turn += Math.PI;
      return {
        at: [lat, lon], texts: [name], room: 400, size: 11, turn, ink: '#6d6250', halo: '#ffffffd0',
      };
    });
}
