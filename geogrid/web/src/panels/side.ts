// The sections beside the map: choices, lists, notes.
import type { DefectFacts, Feature, UnservedRow } from '../api/types';
import { drawRival } from '../compare/rival';
import { drawComparison } from '../compare/view';
import { type Context, levelOf } from '../context';
import { byId, choice, h, rowButton } from '../dom';
import { areaText, percent, t, type Word } from '../i18n';
import { shareColour } from '../map/colours';
import { GROUNDS, switched } from '../map/tianditu';
import { FILLS, TEXTS } from '../url';
import { drawOffice } from '../jobs/panel';
import { drawVersions } from '../review/history';
import { stateText } from './head';
import { outputs } from './output';
import { asked, section } from './parts';

// Longer lists nobody reads to the end; so many rows are seen at once, the rest are scrolled to.
const MOST_RANKED = 100;
const RANKED_SHOWN = 6;

export function drawSections(context: Context): void {
  const kept = byId('gg-panel').scrollTop;
  byId('gg-sections').replaceChildren(...partsOf(context).filter((part) => part !== null));
  byId('gg-panel').scrollTop = kept;
}

function partsOf(context: Context): (HTMLElement | null)[] {
  const { info, tab, pair } = context.store.get();
  if (tab === 'jobs') return drawOffice(context);
  if (!info) return [];
  if (tab === 'versions') return pair ? [levels(context), texts(context), ...drawComparison(context), drawRival(context)] : [drawRival(context), ...drawVersions(context)];
  return [plans(context), levels(context), fills(context), limits(context), texts(context), layers(context),
    ranking(context), defects(context), outputs(context), notes(context)];
}

function plans(context: Context): HTMLElement | null {
  const { projects, plan } = context.store.get();
  const all = projects.state === 'there' ? projects.value.flatMap((project) => project.plans.map((one) => ({ project, one }))) : [];
  if (all.length < 2) return null;
  const select = h('select', { class: 'gg-select', 'aria-label': t('planChoice'), onchange: () => void context.open(select.value) },
    ...all.map(({ project, one }) => h('option', { value: one.id }, `${project.name} · ${one.name}${one.branch && one.branch !== 'main' ? ` (${one.branch})` : ''}`)));
  select.value = plan;
  return section(t('planChoice'), '', select);
}

function radios(group: string, values: readonly [string, string][], now: string, pick: (value: string) => void): HTMLElement {
  return h('div', { class: 'gg-choices', id: `gg-${group}s`, role: 'radiogroup' },
    ...values.map(([value, text]) => choice('radio', group, value, text, value === now, () => pick(value))));
}

function levels({ store }: Context): HTMLElement {
  const { info, level, filled } = store.get();
  const name = info?.levels.find(({ key }) => key === level)?.name ?? '';
  const hint = filled && filled !== level ? t('levelsFar', { level: name }) : '';
  const values = (info?.levels ?? []).map(({ key, name }): [string, string] => [key, name]);
  return section(t('levels'), hint, radios('level', values, level, (value) => store.set({ level: value, card: null, cell: '' })));
}

function fills({ store }: Context): HTMLElement {
  const { fill, info } = store.get();
  const known = FILLS.filter((one) => one !== 'unserved' || info?.limits.length);
  const values = known.map((one): [string, string] => [one, t(`fill_${one}`)]);
  return section(t('fills'), '', radios('fill', values, fill, (value) => store.set({ fill: value as typeof fill })));
}

function limits({ store }: Context): HTMLElement | null {
  const { info, minutes } = store.get();
  if (!info?.limits.length) return null;
  const values = info.limits.map((n): [string, string] => [String(n), t('minutes', { n })]);
  return section(t('limits'), t('limitsHint'), radios('limit', values, String(minutes), (value) => store.set({ minutes: Number(value) })));
}

function texts({ store }: Context): HTMLElement {
  const { text } = store.get();
  const values = TEXTS.map((one): [string, string] => [one, t(`text_${one}`)]);
  return section(t('texts'), '', radios('text', values, text, (value) => store.set({ text: value as typeof text })));
}

export function layerNames(limitsThere: readonly number[], hasKey = false): string[] {
  return ['base', ...(hasKey ? GROUNDS : []), ...limitsThere.map((n) => `circles-${n}`), 'stations', 'defects'];
}

export function layerText(name: string): string {
  return name.startsWith('circles-') ? t('layer_circles', { n: name.slice(8) }) : t(`layer_${name}` as Word);
}

function layers({ store }: Context): HTMLElement {
  const { info, layers: shown, settings } = store.get();
  return section(t('layers'), '', h('div', { class: 'gg-choices', id: 'gg-layers' },
    ...layerNames(info?.limits ?? [], Boolean(settings.tianditu_key)).map((name) => choice('checkbox', 'layer', name, layerText(name), shown.includes(name),
      (on) => store.set({ layers: switched(store.get().layers, name, on) })))));
}

function ranking(context: Context): HTMLElement {
  const { ranking: rows, minutes } = context.store.get();
  const level = levelOf(context.store.get());
  const unit = t('rankingUnit', { level: level?.name ?? '', n: minutes });
  const body = asked(rows, (all) => ranked(context, all), () => void context.refresh());
  const count = rows.state === 'there' ? rows.value.filter(({ share }) => share).length : 0;
  return section(t('ranking'), unit + (count > RANKED_SHOWN ? t('rankingMore', { n: count }) : ''), body);
}

function ranked(context: Context, all: readonly UnservedRow[]): HTMLElement {
  const rows = all.filter(({ share }) => share !== null && share > 0);
  const hidden = all.filter(({ share, unserved_text: text }) => share === null && text !== '').length;
  // An empty list may mean that nobody is unserved, or that nothing of it may be told.
  const hasLimits = Boolean(context.store.get().info?.limits.length);
  if (!all.length) return h('p', { class: 'gg-none' }, t(hasLimits ? 'rankingEmpty' : 'rankingAbsent'));
  const list = h('ol', { id: 'gg-unserved', class: `gg-list gg-ranked${rows.length > RANKED_SHOWN ? ' gg-long' : ''}` },
    ...rows.slice(0, MOST_RANKED).map((row) => rankedRow(context, row)));
  return h('div', {},
    rows.length ? list : h('p', { class: 'gg-none' }, t('rankingNone')),
    hidden > 0 && h('p', { class: 'gg-none' }, t('rankingHidden', { n: hidden })));
}

function rankedRow(context: Context, row: UnservedRow): HTMLLIElement {
  const share = row.share ?? 0;
  const item = rowButton(row.name, `${row.unserved_text} · ${percent(share)}`, () => void context.pickCell(row.code, { zoom: true }));
  const bar = h('span', { class: 'gg-bar' });
  bar.style.width = `${Math.round(share * 100)}%`;
  bar.style.background = shareColour(share);
  item.querySelector('button')?.append(h('span', { class: 'gg-track' }, bar));
  return item;
}

function defects(context: Context): HTMLElement {
  const { defects: found } = context.store.get();
  const count = found.state === 'there' ? String(found.value.features.length) : '';
  return section(t('defects'), count, asked(found, ({ features }) => (features.length
    ? h('ul', { id: 'gg-defects', class: 'gg-list gg-defects' }, ...features.map((one) =>
      rowButton(defectName(one), defectSide(one), () => context.pickDefect(one))))
    : h('p', { class: 'gg-none' }, t('defectsNone'))), () => void context.refresh()));
}

export function defectName({ properties }: Feature<DefectFacts>): string {
  const cells = (properties.cells ?? []).slice(0, 2).join('、');
  return [properties.kind_zh ?? properties.kind, cells].filter(Boolean).join(' · ');
}

function defectSide({ properties, geometry }: Feature<DefectFacts>): string {
  const parts = [properties.area_m2 ? areaText(properties.area_m2) : '', properties.households_text ?? ''];
  if (!geometry && !properties.cells?.length) parts.push(t('defectPlaceless'));
  return parts.filter(Boolean).join(' · ');
}

function notes({ store }: Context): HTMLElement {
  const { info, version } = store.get();
  const rows: [string, string][] = [
    [t('noteScheme'), info?.scheme.title || (info?.scheme.key ?? '')],
    [t('noteState'), stateText(info?.state ?? '')],
    [t('noteVersion'), version === 'head' ? (info?.head ?? '') : version],
    [t('noteHouseholds'), info?.households_text ?? ''],
    ...(info?.sources ?? []).map(({ name, date, licence, note }): [string, string] =>
      [t('noteSource'), [name, date, licence, note].filter(Boolean).join(' · ')]),
  ];
  return section(t('notes'), '', h('dl', { class: 'gg-notes' },
    ...rows.filter(([, text]) => text).flatMap(([term, text]) => [h('dt', {}, term), h('dd', {}, text)])));
}

