// The map as a picture with its title, badges, legend and sources, for a file or for paper.
import type { Map as GlMap } from 'maplibre-gl';
import { h } from '../dom';

export interface Words {
  title: string;
  badges: string[];
  legend: { text: string; colour: string }[];
  foot: string[];
}

const FONT = "'Noto Sans CJK SC','Noto Sans SC','Microsoft YaHei','PingFang SC',sans-serif";
const HEAD = 56;
const FOOT = 26;

// The picture of WebGL is gone after the frame, so it is taken inside of one.
function frameOf(map: GlMap): Promise<HTMLCanvasElement> {
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
  pen.fillText(words.badges.join('  ·  '), 12, 42, width - 24);
  pen.fillText(words.foot.join('  ·  '), 12, HEAD + height + FOOT / 2, width - 24);
  drawLegend(pen, words.legend, width, HEAD + height);
  return canvas;
}

function drawLegend(pen: CanvasRenderingContext2D, rows: Words['legend'], right: number, bottom: number): void {
  const wide = Math.max(0, ...rows.map(({ text }) => pen.measureText(text).width)) + 52;
  const high = rows.length * 18 + 12;
  const left = right - wide - 12;
  const top = bottom - high - 12;
  if (!rows.length) return;
  pen.fillStyle = '#fffffff0';
  pen.fillRect(left, top, wide, high);
  rows.forEach(({ text, colour }, at) => {
    const y = top + 15 + at * 18;
    pen.fillStyle = colour || '#ffffff00';
    pen.fillRect(left + 10, y - 6, 22, 12);
    pen.fillStyle = '#1f2a33';
    pen.fillText(text, left + (colour ? 40 : 10), y);
  });
}

export async function savePng(canvas: HTMLCanvasElement, name: string): Promise<void> {
  const blob = await new Promise<Blob | null>((resolve) => canvas.toBlob(resolve, 'image/png'));
  if (!blob) return;
  const href = URL.createObjectURL(blob);
  h('a', { href, download: `${name}.png` }).click();
  window.setTimeout(() => URL.revokeObjectURL(href), 10_000);
}

export async function printPicture(canvas: HTMLCanvasElement, sheet: HTMLElement): Promise<void> {
  const image = h('img', { alt: '', src: canvas.toDataURL('image/png') });
  sheet.replaceChildren(image);
  await image.decode();
  window.print();
}
