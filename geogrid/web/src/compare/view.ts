// Two versions or two plans side by side: a map of each, what changed, and which households move.
import type { Box, Plan, PlanSide } from '../api/types';
import { ask, type Asked, type Context, LOADING } from '../context';
import { byId, h } from '../dom';
import { boxOf } from '../geo';
import { t } from '../i18n';
import { MapView } from '../map/view';
import { stateText } from '../panels/head';
import { asked } from '../panels/parts';
import { versionName } from '../review/history';
import { type Both, changedCells, isCompared, levelKey, marksOf, partnersOf } from './changes';
import { bestLevel, type Doors, listsOf } from './lists';
import { planTitle } from './rival';
import { together } from './together';

// The other plan of a pair, once it is known what it is.
export interface OtherPlan {
  plan: string;
  info: Plan | null;
  sides: readonly PlanSide[];
}

export interface Pair {
  before: string;
  after: string;
  found: Asked<Both>;
  // Two versions of one plan have none.
  other: OtherPlan | null;
}

const SIDES = [0, 1] as const;
const NAMES = ['before', 'after'] as const;
let views: [MapView, MapView] | null = null;

export async function startComparison(context: Context, before: string, after: string): Promise<void> {
  const { plan } = context.store.get();
  const { office } = context;
  // The second answer has the shapes that the first does not: those of the version before.
  return start(context, { before, after, found: LOADING, other: null }, async () => {
    const [there, back] = await Promise.all([office.compare(plan, before, after), office.compare(plan, after, before)]);
    return { found: there, before: back.cells, notes: [], other: null };
  });
}

export async function startPlanComparison(context: Context, version: string, other: string, otherVersion: string): Promise<void> {
  const { plan } = context.store.get();
  const { api, office } = context;
  const pair: Pair = { before: version, after: otherVersion, found: LOADING, other: { plan: other, info: null, sides: [] } };
  return start(context, pair, async () => {
    const [found, info] = await Promise.all([office.comparePlans(plan, version, other, otherVersion), api.plan(other)]);
    const levels = info.levels.filter(({ contract }) => contract === 'area');
    return { found, before: found.cells_before, notes: found.notes, other: { plan: other, info: { ...info, levels }, sides: found.sides } };
  });
}

async function start(context: Context, pair: Pair, work: () => Promise<Both & { other: OtherPlan | null }>): Promise<void> {
  const { store } = context;
  endComparison(context);
  store.set({ isEditing: false, card: null, pair, tab: 'versions' });
  drawFrame(context);
  const found = await ask(work());
  if (store.get().pair !== pair) return;
  const [, after] = found.state === 'there' ? (found.value.other?.sides ?? []) : [];
  store.set({
    pair: { ...pair, found, after: after?.version ?? pair.after, other: found.state === 'there' ? found.value.other : pair.other },
  });
  if (found.state !== 'there') return;
  const best = bestLevel(found.value.found, store.get().level, (store.get().info?.levels ?? []).map(({ key }) => key));
  store.set({ level: best });
  drawTitles(context);
  await drawMaps(context, found.value);
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

function versionTitle({ store }: Context, id: string, side: PlanSide | undefined): string {
  if (side) return `${t('versionNumber', { n: side.number })} · ${stateText(side.state)}`;
  const { versions } = store.get();
  const known = versions.state === 'there' ? versions.value.rows.find((one) => one.id === id) : undefined;
  return known ? `${versionName(known)} · ${stateText(known.state)}` : id;
}

// What a side is called: its version, and of two plans also its plan and its level.
function titleOf(context: Context, pair: Pair, side: 0 | 1): string {
  const { projects, plan, level } = context.store.get();
  const id = side ? pair.after : pair.before;
  if (!pair.other) return t(side ? 'compareAfter' : 'compareBefore', { name: versionTitle(context, id, undefined) });
  const known = pair.other.sides[side];
  const found = pair.found.state === 'there' ? pair.found.value.found : null;
  const key = found && levelKey(found, level, side);
  const name = [
    known?.name ?? planTitle(projects, side ? pair.other.plan : plan),
    known ? versionTitle(context, id, known) : '',
    known?.levels.find((one) => one.key === key)?.name ?? '',
  ];
  return t(side ? 'comparePlanB' : 'comparePlanA', { name: name.filter(Boolean).join(' · ') });
}

function drawFrame(context: Context): void {
  document.body.classList.add('gg-comparing');
  byId('gg-compare').hidden = false;
  byId('gg-compare').replaceChildren(...NAMES.map((name) => h('div', { class: 'gg-side-map' },
    h('div', { class: 'gg-side-title', id: `gg-title-${name}` }), h('div', { class: 'gg-side-ground', id: `gg-map-${name}` }))));
  drawTitles(context);
}

function drawTitles(context: Context): void {
  const { pair } = context.store.get();
  if (!pair) return;
  for (const side of SIDES) byId(`gg-title-${NAMES[side]}`).textContent = titleOf(context, pair, side);
}

async function drawMaps(context: Context, found: Both): Promise<void> {
  const { store } = context;
  const { info, pair } = store.get();
  if (!info || !pair) return;
  const at = context.view();
  const { lng, lat } = at?.map.getCenter() ?? { lng: 0, lat: 0 };
  const start: [number, number, number] | null = at ? [at.map.getZoom(), lat, lng] : null;
  const make = (side: 0 | 1, plan: Plan, tiles: ReturnType<Context['tilesOf']>) => new MapView(byId(`gg-map-${NAMES[side]}`), plan, tiles, start, {
    onCell: (code) => pickBoth(context, code, side),
    onStation: () => undefined,
    onMove: () => undefined,
    onFilled: () => undefined,
    onFault: () => context.tell(t('tilesFailed'), true),
  });
  views = [
    make(0, info, context.tilesOf(pair.before)),
    make(1, pair.other?.info ?? info, context.tilesOf(pair.after, pair.other?.plan)),
  ];
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
  const boxes = SIDES.flatMap((side) => (side ? found.cells : before).features
    .filter(({ properties }) => properties.level === levelKey(found, level, side)))
    .map(({ geometry }) => boxOf(geometry)).filter((box) => box !== null);
  if (!boxes.length) return null;
  const edge = (at: 0 | 1 | 2 | 3, of: (...values: number[]) => number) => of(...boxes.map((box) => box[at]));
  return [edge(0, Math.min), edge(1, Math.min), edge(2, Math.max), edge(3, Math.max)];
}

function point(context: Context, codes: readonly [readonly string[], readonly string[]]): void {
  context.store.set({ cell: codes[0][0] ?? '' });
  for (const side of SIDES) views?.[side].pick(codes[side]);
}

function pickBoth(context: Context, code: string, side: 0 | 1): void {
  const { pair, level } = context.store.get();
  if (pair?.found.state === 'there') point(context, partnersOf(pair.found.value.found, level, code, side));
}

// The two maps follow level and labels of the page; a level that the other plan lacks shows its coarsest.
export function showLevel(context: Context): void {
  const { info, level, text, pair, cell } = context.store.get();
  if (!views || !info || pair?.found.state !== 'there') return;
  const both = pair.found.value;
  const rows = changedCells(both, level);
  const codes = cell ? partnersOf(both.found, level, cell, 0) : [[], []] as const;
  drawTitles(context);
  for (const side of SIDES) {
    const { levels } = (side && pair.other?.info) || info;
    const key = levelKey(both.found, level, side);
    views[side].showLevel(Math.max(0, levels.findIndex((one) => one.key === key)));
    views[side].setText(text);
    views[side].setData('changed', marksOf(both, rows, level, side));
    views[side].pick(codes[side]);
  }
}

export function drawComparison(context: Context): HTMLElement[] {
  const { pair, info, level } = context.store.get();
  if (!pair) return [];
  const again = () => void (pair.other
    ? context.comparePlans(pair.before, pair.other.plan, pair.after)
    : context.compare(pair.before, pair.after));
  const doors: Doors = {
    level: info?.levels.find(({ key }) => key === level) ?? null,
    ofPlans: pair.other !== null,
    go: (codes, both) => goTo(context, both, codes),
  };
  return [h('section', { id: 'gg-comparison' },
    h('h2', {}, t('compare')),
    ...SIDES.map((side) => h('p', { class: 'gg-hint' }, titleOf(context, pair, side))),
    h('button', { type: 'button', class: 'gg-button', id: 'gg-compare-end', onclick: () => endComparison(context) }, t('compareEnd')),
    pair.found.state === 'loading'
      ? h('p', { class: 'gg-wait' }, t('compareWorking'))
      : asked(pair.found, (both) => lists(both, doors), again))];
}

function lists(both: Both, doors: Doors): HTMLElement {
  const name = doors.level?.name ?? '';
  if (!isCompared(both.found, doors.level?.key ?? '')) return h('p', { class: 'gg-none' }, t('compareLevelAlone', { level: name }));
  return listsOf(both, doors);
}

function goTo(context: Context, { found, before }: Both, codes: readonly [string, string]): void {
  const { level } = context.store.get();
  const boxOn = (side: 0 | 1) => {
    const cells = (side ? found.cells : before).features;
    const cell = cells.find(({ properties }) => properties.code === codes[side] && properties.level === levelKey(found, level, side));
    return cell ? boxOf(cell.geometry) : null;
  };
  context.fold();
  point(context, [codes[0] ? [codes[0]] : [], codes[1] ? [codes[1]] : []]);
  const box = boxOn(1) ?? boxOn(0);
  if (box) views?.[1].goTo(box);
}
