// Two versions side by side: a map of each, what changed, and which households move.
import type { Box } from '../api/types';
import { ask, type Asked, type Context, LOADING, levelOf } from '../context';
import { byId, h } from '../dom';
import { boxOf } from '../geo';
import { t } from '../i18n';
import { MapView } from '../map/view';
import { asked } from '../panels/parts';
import { stateText } from '../panels/head';
import { versionName } from '../review/history';
import { type Both, changedCells, diffOf, isSame, KIND_COLOURS, KINDS, marksOf, movesOf } from './changes';
import { together } from './together';

export interface Pair {
  before: string;
  after: string;
  found: Asked<Both>;
}

let views: [MapView, MapView] | null = null;

export async function startComparison(context: Context, before: string, after: string): Promise<void> {
  const { store, office } = context;
  const { plan } = store.get();
  endComparison(context);
  store.set({ isEditing: false, card: null, pair: { before, after, found: LOADING }, tab: 'versions' });
  drawFrame(context);
  // The second answer has the shapes that the first does not: those of the version before.
  const found = await ask(Promise.all([office.compare(plan, before, after), office.compare(plan, after, before)])
    .then(([there, back]): Both => ({ found: there, before: back.cells })));
  const now = store.get().pair;
  if (now?.before !== before || now.after !== after) return;
  store.set({ pair: { before, after, found } });
  if (found.state !== 'there') return;
  openOnChanged(context, found.value);
  await drawMaps(context, found.value);
}

// Starts on the level where something changed, finest first.
function openOnChanged({ store }: Context, { found }: Both): void {
  const { info, level } = store.get();
  if (diffOf(found, level).changed > 0) return;
  const best = [...(info?.levels ?? [])].reverse().find(({ key }) => diffOf(found, key).changed > 0);
  if (best) store.set({ level: best.key });
}

export function endComparison(context: Context): void {
  const { store } = context;
  for (const one of views ?? []) one.map.remove();
  views = null;
  document.body.classList.remove('gg-comparing');
  byId('gg-compare').hidden = true;
  byId('gg-compare').replaceChildren();
  if (store.get().pair) store.set({ pair: null });
  context.view()?.map.resize();
}

function nameOf({ store }: Context, id: string): string {
  const { versions } = store.get();
  const known = versions.state === 'there' ? versions.value.rows.find((one) => one.id === id) : undefined;
  return known ? `${versionName(known)} · ${stateText(known.state)}` : id;
}

function drawFrame(context: Context): void {
  const { pair } = context.store.get();
  if (!pair) return;
  const side = (name: string, title: string) => h('div', { class: 'gg-side-map' },
    h('div', { class: 'gg-side-title' }, title), h('div', { class: 'gg-side-ground', id: `gg-map-${name}` }));
  document.body.classList.add('gg-comparing');
  byId('gg-compare').hidden = false;
  byId('gg-compare').replaceChildren(
    side('before', t('compareBefore', { name: nameOf(context, pair.before) })),
    side('after', t('compareAfter', { name: nameOf(context, pair.after) })));
}

async function drawMaps(context: Context, found: Both): Promise<void> {
  const { store } = context;
  const { info, pair } = store.get();
  if (!info || !pair) return;
  const at = context.view();
  const { lng, lat } = at?.map.getCenter() ?? { lng: 0, lat: 0 };
  const start: [number, number, number] | null = at ? [at.map.getZoom(), lat, lng] : null;
  const make = (name: string, version: string) => new MapView(byId(`gg-map-${name}`), info, context.tilesOf(version), start, {
    onCell: (code) => pickBoth(context, code),
    onStation: () => undefined,
    onMove: () => undefined,
    onFilled: () => undefined,
    onFault: () => context.tell(t('tilesFailed'), true),
  });
  views = [make('before', pair.before), make('after', pair.after)];
  const now = views;
  await Promise.all(now.map(({ ready }) => ready));
  if (views !== now) return;
  together(now[0].map, now[1].map);
  for (const view of now) {
    view.setPlain(true);
    for (const name of ['stations', 'defects']) view.toggle(name, false);
  }
  showLevel(context);
  const box = boxOfAll(found, store.get().level);
  if (box) now[1].goTo(box);
  Object.assign(window, { geogridCompare: now });
}

function boxOfAll({ found, before }: Both, level: string): Box | null {
  const boxes = [...before.features, ...found.cells.features]
    .filter(({ properties }) => properties.level === level)
    .map(({ geometry }) => boxOf(geometry)).filter((box) => box !== null);
  if (!boxes.length) return null;
  const edge = (at: 0 | 1 | 2 | 3, of: (...values: number[]) => number) => of(...boxes.map((box) => box[at]));
  return [edge(0, Math.min), edge(1, Math.min), edge(2, Math.max), edge(3, Math.max)];
}

function pickBoth(context: Context, code: string): void {
  for (const view of views ?? []) view.pick([code]);
  context.store.set({ cell: code });
}

// The two maps follow level and labels of the page.
export function showLevel({ store }: Context): void {
  const { info, level, text, pair, cell } = store.get();
  if (!views || !info || pair?.found.state !== 'there') return;
  const { found, before } = pair.found.value;
  const rows = changedCells(pair.found.value, level);
  for (const [at, view] of views.entries()) {
    view.showLevel(Math.max(0, info.levels.findIndex(({ key }) => key === level)));
    view.setText(text);
    view.setData('changed', marksOf(at ? found.cells : before, rows, level));
    view.pick(cell ? [cell] : []);
  }
}

export function drawComparison(context: Context): HTMLElement[] {
  const { pair } = context.store.get();
  if (!pair) return [];
  return [h('section', { id: 'gg-comparison' },
    h('h2', {}, t('compare')),
    h('p', { class: 'gg-hint' }, t('compareBefore', { name: nameOf(context, pair.before) })),
    h('p', { class: 'gg-hint' }, t('compareAfter', { name: nameOf(context, pair.after) })),
    h('button', { type: 'button', class: 'gg-button', id: 'gg-compare-end', onclick: () => endComparison(context) }, t('compareEnd')),
    pair.found.state === 'loading'
      ? h('p', { class: 'gg-wait' }, t('compareWorking'))
      : asked(pair.found, (found) => lists(context, found), () => void context.compare(pair.before, pair.after)))];
}

function lists(context: Context, both: Both): HTMLElement {
  const { found } = both;
  const level = levelOf(context.store.get());
  const key = level?.key ?? '';
  if (isSame(found)) return h('p', { class: 'gg-none' }, t('compareNone'));
  const cells = changedCells(both, key);
  const moves = movesOf(found, key);
  const go = (code: string) => () => goTo(context, both, code);
  return h('div', {},
    h('h2', {}, t('compareCells'), h('small', {}, ` ${level?.name ?? ''} · ${t('compareCount', { n: cells.length })}`)),
    h('div', { class: 'gg-kinds' }, ...KINDS.filter((kind) => diffOf(found, key)[kind].length).map((kind) => {
      const swatch = h('span', { class: 'gg-swatch gg-box' });
      swatch.style.background = KIND_COLOURS[kind];
      return h('span', { class: 'gg-key' }, swatch, `${t(`change_${kind}`)} ${diffOf(found, key)[kind].length}`);
    })),
    cells.length
      ? h('ul', { class: 'gg-list gg-changed', id: 'gg-changed' }, ...cells.map(({ code, kind, name }) =>
        h('li', {}, h('button', { type: 'button', onclick: go(code) },
          h('span', { class: 'gg-main' }, name ? `${name} ${code}` : code), h('span', { class: 'gg-side' }, t(`change_${kind}`))))))
      : h('p', { class: 'gg-none' }, t('compareNoneLevel')),
    h('h2', {}, t('compareMoves'), moves.length ? h('small', {}, ` ${t('compareMoved', { n: diffOf(found, key).moved_households_text })}`) : null),
    moves.length
      ? h('ul', { class: 'gg-list gg-changed', id: 'gg-moves' }, ...moves.map((move) =>
        h('li', {}, h('button', { type: 'button', onclick: go(move.to) },
          h('span', { class: 'gg-main' }, t('compareMoveRow', move as unknown as Record<string, string>)),
          h('span', { class: 'gg-side' }, t('householdsUnit', { n: move.households_text }))))))
      : h('p', { class: 'gg-none' }, t('compareMovesNone')));
}

function goTo(context: Context, { found, before }: Both, code: string): void {
  const cell = [...found.cells.features, ...before.features].find(({ properties }) => properties.code === code);
  const box = cell && boxOf(cell.geometry);
  context.fold();
  pickBoth(context, code);
  if (box) views?.[1].goTo(box);
}
