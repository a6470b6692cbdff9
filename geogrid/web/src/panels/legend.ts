// Only what is on the map now, as it is drawn there.
import type { Band } from '../api/types';
import { type Context, levelOf } from '../context';
import { byId, h } from '../dom';
import { bandText, t, type Word } from '../i18n';
import { BAND_COLOURS, borderOf, CIRCLES, DEFECT, NO_COUNT, PALETTE, STATION, UNSERVED_STEPS } from '../map/colours';
import { WORDS } from '../words';

export interface LegendRow {
  text: string;
  colour: string;
  look: 'box' | 'line' | 'dot' | 'striped' | 'text';
}

export function bandLimits(band: Band | null): string {
  if (!band) return t('bandUnset');
  const { low, high } = band;
  if (low === null) return high === null ? t('bandUnset') : t('bandTo', { n: high });
  return high === null ? t('bandFrom', { n: low }) : t('bandRange', { low, high });
}

export function legendRows({ store }: Context): LegendRow[] {
  const state = store.get();
  const { info, fill, minutes, layers } = state;
  const level = levelOf(state);
  if (!info || !level) return [];
  const depth = info.levels.indexOf(level);
  const rows: LegendRow[] = info.levels.slice(0, depth + 1).map(({ name }, at) =>
    ({ text: t('legendBorder', { level: name }), colour: borderOf(at).color, look: 'line' }));
  if (fill === 'band') {
    rows.push({ text: `${level.name}：${bandLimits(level.band)}`, colour: '', look: 'text' });
    for (const band of ['below', 'in', 'above'] as const) rows.push({ text: bandText(band), colour: BAND_COLOURS[band], look: 'box' });
    rows.push({ text: t('bandNone'), colour: NO_COUNT, look: 'box' }, { text: t('legendHidden'), colour: '#b9b0c4', look: 'striped' });
  } else if (fill === 'unserved') {
    rows.push({ text: t('legendUnserved', { n: minutes }), colour: '', look: 'text' });
    for (const { text, colour } of UNSERVED_STEPS) rows.push({ text: text in WORDS ? t(text as Word) : text, colour, look: 'box' });
    rows.push({ text: t('legendNoHomes'), colour: NO_COUNT, look: 'box' }, { text: t('legendHidden'), colour: '#b9b0c4', look: 'striped' });
  } else rows.push({ text: t('legendColour'), colour: PALETTE[0] ?? '', look: 'box' });
  info.limits.forEach((n, at) => {
    if (layers.includes(`circles-${n}`)) rows.push({ text: t('layer_circles', { n }), colour: CIRCLES[Math.min(at, 1)]?.line ?? '', look: 'line' });
  });
  const has = (name: string, what: { state: string; value?: { features: unknown[] } }) =>
    layers.includes(name) && what.state === 'there' && (what.value?.features.length ?? 0) > 0;
  if (has('stations', state.stations)) {
    const features = state.stations.state === 'there' ? state.stations.value.features : [];
    const areStandIns = features.every(({ properties }) => properties.stand_in);
    rows.push({ text: t(areStandIns ? 'legendStandIns' : 'layer_stations'), colour: STATION, look: 'dot' });
  }
  if (has('defects', state.defects)) rows.push({ text: t('layer_defects'), colour: DEFECT.fill, look: 'box' });
  return rows;
}

export function drawLegend(context: Context): void {
  const rows = legendRows(context);
  byId('gg-legend').hidden = !rows.length;
  byId('gg-legend-title').textContent = t('legend');
  byId('gg-legend-rows').replaceChildren(legendTable(rows));
}

export function legendTable(rows: readonly LegendRow[]): HTMLElement {
  return h('div', {}, ...rows.map(({ text, colour, look }) => {
    if (look === 'text') return h('h4', {}, text);
    const swatch = h('span', { class: `gg-swatch gg-${look}` });
    if (look === 'line') swatch.style.borderColor = colour;
    else if (look !== 'striped') swatch.style.background = colour;
    return h('div', { class: 'gg-key' }, swatch, h('span', {}, text));
  }));
}
