// The map as a picture with its title, badges, legend and sources, for a file or for paper.
import type { Map as GlMap } from 'maplibre-gl';
import { h } from '../dom';
import type { LegendRow } from '../panels/legend';
import { scaleBar } from './scale';

export interface Words {
  title: string;
  badges: string[];
  // Written large where the data are made up; "" where they are not.
  synthetic: string;
  facts: string[];
  legend: LegendRow[];
  foot: string[];
}

const FONT = "'Noto Sans CJK SC','Noto Sans SC','Microsoft YaHei','PingFang SC',sans-serif";
const SYNTHETIC = '#a4262c';
const EARTH_METRES_A_PIXEL = 78_271.517;
const HEAD = 56;
const FOOT = 26;

// The picture of WebGL is gone after the frame, so it is taken inside of one.
export function frameOf(map: GlMap): Promise<HTMLCanvasElement> {
  return new Promise((resolve) => {
    map.once('render', () => {
      const source = map.getCanvas();
      const copy = h('canvas', {});
      copy.width = source.width;
      copy.height = source.height;
      copy.getContext('2d')?.drawImage(source, 0, 0);
      resolve(copy);
    });
    map.triggerRepaint();
  });
}

export async function pictureOf(map: GlMap, words: Words): Promise<HTMLCanvasElement> {
  const frame = await frameOf(map);
  const scale = frame.width / map.getContainer().clientWidth;
  const width = frame.width / scale;
  const height = frame.height / scale;
  const canvas = h('canvas', {});
  canvas.width = frame.width;
  canvas.height = frame.height + (HEAD + FOOT) * scale;
  const pen = canvas.getContext('2d');
  if (!pen) return canvas;
  pen.scale(scale, scale);
  pen.fillStyle = '#ffffff';
  pen.fillRect(0, 0, width, height + HEAD + FOOT);
  pen.drawImage(frame, 0, HEAD, width, height);
  pen.fillStyle = '#1f2a33';
  pen.textBaseline = 'middle';
  pen.font = `bold 18px ${FONT}`;
  pen.fillText(words.title, 12, 20, width - 24);
  pen.font = `12px ${FONT}`;
  pen.fillStyle = '#5b6873';
  pen.fillText([...words.badges, ...words.facts].join('  ·  '), 12, 42, width - 24);
  if (words.synthetic) {
    pen.font = `bold 14px ${FONT}`;
    pen.fillStyle = SYNTHETIC;
    pen.textAlign = 'right';
    pen.fillText(words.synthetic, width - 12, 20, width / 2);
    pen.textAlign = 'left';
    pen.font = `12px ${FONT}`;
    pen.fillStyle = '#5b6873';
  }
  pen.fillText(words.foot.join('  ·  '), 12, HEAD + height + FOOT / 2, width - 24);
  drawLegend(pen, words.legend, width, HEAD + height);
  drawScale(pen, metresAPixel(map), HEAD + height);
  return canvas;
}

export function metresAPixel(map: GlMap): number {
  return (EARTH_METRES_A_PIXEL * Math.cos((map.getCenter().lat * Math.PI) / 180)) / 2 ** map.getZoom();
}

function drawScale(pen: CanvasRenderingContext2D, metres: number, bottom: number): void {
  const bar = scaleBar(metres, 140);
  pen.fillStyle = '#fffffff0';
  pen.fillRect(8, bottom - 30, bar.pixels + 16, 24);
  pen.fillStyle = '#1f2a33';
  pen.fillText(bar.text, 16, bottom - 20);
  pen.fillRect(16, bottom - 11, bar.pixels, 2);
}

function drawLegend(pen: CanvasRenderingContext2D, rows: Words['legend'], right: number, bottom: number): void {
  const wide = Math.max(0, ...rows.map(({ text }) => pen.measureText(text).width)) + 52;
  const high = rows.length * 18 + 12;
  const left = right - wide - 12;
  const top = bottom - high - 12;
  if (!rows.length) return;
  pen.fillStyle = '#fffffff0';
  pen.fillRect(left, top, wide, high);
  rows.forEach(({ text, colour, look }, at) => {
    const y = top + 15 + at * 18;
    drawSwatch(pen, colour, look, left + 10, y);
    pen.fillStyle = '#1f2a33';
    pen.fillText(text, left + (look === 'text' ? 10 : 40), y);
  });
}

function drawSwatch(pen: CanvasRenderingContext2D, colour: string, look: LegendRow['look'], x: number, y: number): void {
  pen.fillStyle = colour || '#ffffff00';
  if (look === 'text') return;
  if (look === 'line') return pen.fillRect(x, y - 1.5, 22, 3);
  if (look === 'dot') {
    pen.beginPath();
    pen.arc(x + 11, y, 5, 0, 2 * Math.PI);
    return pen.fill();
  }
  pen.fillRect(x, y - 6, 22, 12);
  if (look !== 'striped') return;
  pen.fillStyle = '#ffffff';
  for (let step = 3; step < 22; step += 6) pen.fillRect(x + step, y - 6, 3, 12);
}

export async function savePng(canvas: HTMLCanvasElement, name: string): Promise<void> {
  const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, 'image/png'));
  if (!blob) return;
  const href = URL.createObjectURL(blob);
  h('a', { href, download: `${name}.png` }).click();
  window.setTimeout(() => URL.revokeObjectURL(href), 10_000);
}
