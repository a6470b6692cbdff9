// Labels on one canvas: largest cells first, none over another, none wider than its cell.
const LabelLayer = L.Layer.extend({
  options: { pane: 'gg-labels' },

  // `source` gives the labels, most wanted first; `pins` the places where a pin stands.
  initialize(source, pins) {
    this._source = source;
    this._pins = pins;
  },

  onAdd(map) {
    this._canvas = L.DomUtil.create('canvas', 'leaflet-zoom-hide', this.getPane());
    map.on('moveend zoomend resize viewreset', this.redraw, this);
    this.redraw();
  },

  onRemove(map) {
    map.off('moveend zoomend resize viewreset', this.redraw, this);
    this._canvas.remove();
  },

  redraw() {
    const map = this._map;
    if (!map) return;
    const size = map.getSize();
    const ratio = window.devicePixelRatio || 1;
    this._canvas.width = size.x * ratio;
    this._canvas.height = size.y * ratio;
    this._canvas.style.width = size.x + 'px';
    this._canvas.style.height = size.y + 'px';
    L.DomUtil.setPosition(this._canvas, map.containerPointToLayerPoint([0, 0]));
    const pen = this._canvas.getContext('2d');
    pen.scale(ratio, ratio);
    pen.textAlign = 'center';
    pen.textBaseline = 'middle';
    pen.lineJoin = 'round';
    const pins = this._pins().map((place) => {
      const at = map.latLngToContainerPoint(place);
      return [at.x - PIN.half, at.y - PIN.high, at.x + PIN.half, at.y];
    });
    this.boxes = [];
    for (const label of this._source(map)) this._draw(pen, label, pins, size);
    this.drawn = this.boxes.length;
  },

  _draw(pen, label, pins, size) {
    const at = this._map.latLngToContainerPoint(label.at);
    if (at.x < -60 || at.y < -20 || at.x > size.x + 60 || at.y > size.y + 20) return;
    pen.font = `${label.bold ? 'bold ' : ''}${label.size}px ${LABEL_FONT}`;
    const text = label.texts.find((one) => one && pen.measureText(one).width <= label.room);
    if (!text) return;
    const width = pen.measureText(text).width;
    const turn = label.turn || 0;
    const half = {
      x: (Math.abs(Math.cos(turn)) * width + Math.abs(Math.sin(turn)) * label.size) / 2 + 3,
      y: (Math.abs(Math.sin(turn)) * width + Math.abs(Math.cos(turn)) * label.size) / 2 + 2,
    };
    const boxAt = (dy) => [at.x - half.x, at.y + dy - half.y, at.x + half.x, at.y + dy + half.y];
    const isFree = (box) => [...pins, ...this.boxes].every(
      (o) => box[0] >= o[2] || box[2] <= o[0] || box[1] >= o[3] || box[3] <= o[1]);
    // A label in a roomy cell steps aside for a pin.
    const steps = (label.steps || [0]).filter((dy) => 2 * Math.abs(dy) + label.size < label.room);
    const dy = [0, ...steps].find((one) => isFree(boxAt(one)));
    if (dy === undefined) return;
    this.boxes.push(boxAt(dy));
    pen.save();
    pen.translate(at.x, at.y + dy);
    pen.rotate(turn);
    pen.lineWidth = 3;
    pen.strokeStyle = label.halo;
    pen.strokeText(text, 0, 0);
    pen.fillStyle = label.ink;
    pen.fillText(text, 0, 0);
    pen.restore();
  },
});

const LABEL_FONT = "'Noto Sans CJK SC','Noto Sans SC','Microsoft YaHei','PingFang SC',sans-serif";

// Half the width and the height of a station's pin, in pixels.
const PIN = { half: 9, high: 22 };

function metresPerPixel(map) {
  const size = map.getSize();
  const y = size.y / 2;
  const span = map.distance(
    map.containerPointToLatLng([0, y]), map.containerPointToLatLng([100, y]));
  return span / 100;
}
