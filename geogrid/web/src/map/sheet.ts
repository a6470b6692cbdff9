// The map on a sheet of paper: picture, title, legend, scale, date, sources.
import type { Map as GlMap } from 'maplibre-gl';
import { h } from '../dom';
import { frameOf, metresAPixel, type Words } from './picture';
import { fitted, PAPERS, ratioText, scaleBar } from './scale';

export type PaperName = keyof typeof PAPERS;

export interface SheetWords extends Words {
  legendTitle: string;
  sourcesTitle: string;
  sources: string[];
}

export async function printSheet(map: GlMap, words: SheetWords, legend: HTMLElement, paper: PaperName, sheet: HTMLElement): Promise<void> {
  const frame = await frameOf(map);
  const wide = map.getContainer().clientWidth;
  const size = fitted(PAPERS[paper], frame.width / frame.height);
  const metres = metresAPixel(map);
  const bar = scaleBar(metres, wide / 5);
  const image = h('img', { alt: '', src: frame.toDataURL('image/png') });
  image.style.width = `${size.width}mm`;
  image.style.height = `${size.height}mm`;
  const line = h('div', { class: 'gg-sheet-bar' });
  line.style.width = `${(bar.pixels / wide) * size.width}mm`;
  sheet.replaceChildren(h('div', { class: `gg-sheet gg-${paper}` },
    h('div', { class: 'gg-sheet-head' }, h('h1', {}, words.title),
      words.synthetic && h('strong', { class: 'gg-sheet-synthetic' }, words.synthetic)),
    h('div', { class: 'gg-sheet-body' },
      h('div', { class: 'gg-sheet-picture' }, image),
      h('div', { class: 'gg-sheet-side' },
        h('p', {}, words.badges.join(' · ')),
        h('h2', {}, words.legendTitle), legend,
        h('div', { class: 'gg-sheet-scale' }, h('span', {}, `${bar.text}  (${ratioText(metres * wide, size.width)})`), line),
        ...words.facts.map((fact) => h('p', {}, fact)),
        h('h2', {}, words.sourcesTitle), ...words.sources.map((source) => h('p', {}, source)),
        h('p', { class: 'gg-use' }, words.foot[0] ?? '')))));
  await image.decode();
  window.print();
}
