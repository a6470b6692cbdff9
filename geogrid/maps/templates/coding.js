// Shapes come as whole numbers: the first vertex, then the step to each next one.
const E7 = 1e7;
const E6 = 1e6;

function latLngs(steps, scale) {
  const found = new Array(steps.length / 2);
  let x = 0;
  let y = 0;
  for (let i = 0; i < steps.length; i += 2) {
    x += steps[i];
    y += steps[i + 1];
    found[i / 2] = [y / scale, x / scale];
  }
  return found;
}

function areaLatLngs(polygons, scale) {
  return polygons.map((rings) => rings.map((steps) => latLngs(steps, scale)));
}

// All text reaches the page through textContent: a name is never read as markup.
function element(tag, className, text) {
  const made = document.createElement(tag);
  if (className) made.className = className;
  if (text !== undefined && text !== null) made.textContent = String(text);
  return made;
}

function byId(id) {
  return document.getElementById(id);
}

// -1 stands for fewer than ten, -2 for a number withheld because it would give such a one away.
function countText(value) {
  if (value === -1) return '<10';
  if (value === -2) return '≥10';
  return value.toLocaleString('zh-CN');
}

function areaText(m2) {
  if (m2 >= 1e6) return (m2 / 1e6).toFixed(2) + ' km²';
  if (m2 >= 1e4) return (m2 / 1e4).toFixed(2) + ' 公顷';
  return m2.toLocaleString('zh-CN', { maximumFractionDigits: 2 }) + ' m²';
}
