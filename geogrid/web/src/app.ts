// The page: what is loaded when, and which part is drawn again after which change.
import { Api } from './api/client';
import type { Box, DefectFacts, Feature, Plan } from './api/types';
import { ask, type Context, FIRST, LOADING, type State, sentenceOf } from './context';
import { byId, h, later } from './dom';
import { drawEditor } from './editor/panel';
import { boxOf } from './geo';
import { setLanguage, t } from './i18n';
import { defectMarks, reachOf } from './map/marks';
import { MapView } from './map/view';
import { cellCard, drawCard, stationCard } from './panels/card';
import { drawFoot, drawHead } from './panels/head';
import { drawLegend } from './panels/legend';
import { drawSearch } from './panels/search';
import { drawSections } from './panels/side';
import { createStore, type Store } from './state';
import { readHash, writeHash } from './url';

const SMALL = '(max-width: 760px)';
const NOTICE_MS = 5000;

export async function startApp(): Promise<void> {
  const store = createStore<State>({ ...FIRST, ...readHash(window.location.hash) });
  const page = new Page(new Api(), store);
  await page.start();
}

class Page implements Context {
  private shown: MapView | null = null;
  private noticeTimer = 0;
  private readonly shareSoon = later(200, () => void this.share());

  constructor(readonly api: Api, readonly store: Store<State>) {}

  view(): MapView | null {
    return this.shown;
  }

  async start(): Promise<void> {
    const { store } = this;
    setLanguage(store.get().language);
    document.body.classList.toggle('gg-folded', window.matchMedia(SMALL).matches);
    this.listen();
    this.drawAll();
    this.blank(t('loading'));
    try {
      store.set({ me: await this.api.me() });
    } catch (fault) {
      return this.blank(sentenceOf(fault), () => window.location.reload());
    }
    const projects = await ask(this.api.projects());
    store.set({ projects });
    if (projects.state === 'failed') return this.blank(projects.why, () => window.location.reload());
    const plans = projects.state === 'there' ? projects.value.flatMap(({ plans: all }) => all) : [];
    const wanted = plans.find(({ id }) => id === store.get().plan) ?? plans[0];
    const { me } = store.get();
    if (!wanted) return this.blank(t(me?.user || me?.anonymous_viewing ? 'noPlans' : 'loginNeeded'));
    return this.open(wanted.id);
  }

  async open(plan: string): Promise<void> {
    const { store } = this;
    const isOther = !['', plan].includes(store.get().plan);
    store.set({ isEditing: false });
    this.blank(t('loading'));
    this.shown?.map.remove();
    this.shown = null;
    const info = await ask(this.api.plan(plan));
    if (info.state === 'failed') return this.blank(info.why, () => void this.open(plan));
    if (info.state !== 'there') return undefined;
    const value = mapped(info.value);
    const { levels, limits } = value;
    const old = store.get();
    const fits = levels.some(({ key }) => key === old.level);
    const level = fits ? old.level : (levels[Math.min(1, levels.length - 1)]?.key ?? '');
    const minutes = limits.includes(old.minutes) || !limits.length ? old.minutes : (limits.at(-1) ?? old.minutes);
    store.set({
      plan, info: value, level, minutes, card: null, isEditing: false,
      ...(isOther ? { view: null, version: 'head', cell: '' } : {}),
    });
    this.blank('');
    await this.makeMap(value);
    const { cell } = store.get();
    if (cell) void this.pickCell(cell, { zoom: !store.get().view });
    return this.refresh();
  }

  // Loads what stands beside the map; with a version also the plan's head and its tiles.
  async refresh(version?: string): Promise<void> {
    const { store, api } = this;
    const { plan } = store.get();
    if (version !== undefined) {
      const info = await ask(api.plan(plan));
      if (info.state === 'there') store.set({ info: mapped(info.value), version: 'head' });
      this.shown?.setTiles(this.tiles(version));
    }
    const at = version ?? this.version();
    store.set({ defects: LOADING, stations: LOADING });
    await Promise.all([
      ask(api.defects(plan, at)).then((defects) => store.set({ defects })),
      ask(api.stations(plan, at)).then((stations) => store.set({ stations })),
      this.rank(),
    ]);
  }

  async pickCell(code: string, options: { zoom?: boolean; level?: string } = {}): Promise<void> {
    const { store, api } = this;
    const { plan, info } = store.get();
    if (!info) return;
    try {
      const cell = await api.cell(plan, this.version(), code);
      const box = cell.bbox ?? boxOf(cell.geometry);
      const level = cell.properties.level || options.level || store.get().level;
      if (info.levels.some(({ key }) => key === level)) store.set({ level });
      const middle = this.shown && box ? [(box[0] + box[2]) / 2, (box[1] + box[3]) / 2] as const : null;
      const where = middle ? await ask(api.where(plan, this.version(), ...middle)) : LOADING;
      store.set({ cell: code, card: cellCard(cell.properties, info, where.state === 'there' ? where.value : null) });
      this.shown?.pick([code]);
      if (options.zoom && box) this.goTo(box);
    } catch (fault) {
      this.tell(sentenceOf(fault), true);
    }
  }

  async pickPlace(lon: number, lat: number): Promise<void> {
    const { store, api } = this;
    const answer = await ask(api.where(store.get().plan, this.version(), lon, lat));
    if (answer.state === 'failed') return this.tell(answer.why, true);
    const chain = answer.state === 'there' ? answer.value.chain : [];
    const here = chain.find(({ level }) => level === store.get().level) ?? chain.at(-1);
    if (!here) return this.tell(t('searchOutside'));
    await this.pickCell(here.code);
    return this.goTo([lon - 0.002, lat - 0.002, lon + 0.002, lat + 0.002]);
  }

  pickDefect(defect: Feature<DefectFacts>): void {
    const box = defect.bbox ?? boxOf(defect.geometry);
    const { layers } = this.store.get();
    if (!layers.includes('defects')) this.store.set({ layers: [...layers, 'defects'] });
    const cell = defect.properties.cells?.[0];
    if (box) this.goTo(box);
    else if (cell) void this.pickCell(cell, { zoom: true });
  }

  tell(sentence: string, isBad = false): void {
    const notice = byId('gg-notice');
    notice.replaceChildren(h('span', {}, sentence));
    notice.classList.toggle('gg-bad', isBad);
    notice.hidden = false;
    window.clearTimeout(this.noticeTimer);
    this.noticeTimer = window.setTimeout(() => { notice.hidden = true; }, NOTICE_MS);
  }

  fold(): void {
    if (window.matchMedia(SMALL).matches) document.body.classList.add('gg-folded');
  }

  private version(): string {
    const { version, info } = this.store.get();
    return version === 'head' ? (info?.head ?? 'head') : version;
  }

  private tiles(version: string): { cells: string; base: string } {
    const { plan } = this.store.get();
    const of = (layer: string) => this.api.tiles(plan, version, layer, window.location.origin);
    return { cells: of('cells'), base: of('base') };
  }

  private goTo(box: Box): void {
    this.fold();
    const card = byId('gg-card');
    this.shown?.goTo(box, window.matchMedia(SMALL).matches && !card.hidden ? card.offsetHeight : 0);
  }

  private async makeMap(plan: Plan): Promise<void> {
    const { store } = this;
    const container = h('div', { class: 'gg-overlay' });
    container.style.pointerEvents = 'auto';
    byId('gg-map').replaceChildren(container);
    try {
      this.shown = new MapView(container, plan, this.tiles(this.version()), store.get().view, {
        onCell: (code) => void this.pickCell(code),
        onStation: (station) => store.set({ card: stationCard(station as { name: string }), cell: '' }),
        onMove: (view) => {
          store.set({ view });
          this.shareSoon();
        },
        onFilled: (filled) => {
          store.set({ filled });
          this.shareSoon();
        },
        onFault: () => this.tell(t('tilesFailed'), true),
      });
    } catch {
      return this.blank(t('noWebgl'));
    }
    Object.assign(window, { geogridWeb: { view: this.shown, store } });
    await this.shown.ready;
    byId('gg-legend').toggleAttribute('open', !window.matchMedia(SMALL).matches);
    this.showAll();
    this.shareSoon();
    return undefined;
  }

  // Everything of the state that the map shows.
  private showAll(): void {
    const { info, level, fill, text, cell } = this.store.get();
    if (!info || !this.shown) return;
    this.shown.showLevel(Math.max(0, info.levels.findIndex(({ key }) => key === level)));
    this.shown.setFill(fill);
    this.shown.setText(text);
    this.shown.pick(cell ? [cell] : []);
    this.showLayers();
  }

  private showLayers(): void {
    const { info, layers } = this.store.get();
    for (const name of ['base', 'stations', 'defects']) this.shown?.toggle(name, layers.includes(name));
    for (const minutes of info?.limits ?? []) void this.showCircles(minutes, layers.includes(`circles-${minutes}`));
  }

  private async showCircles(minutes: number, on: boolean): Promise<void> {
    const name = `circles-${minutes}`;
    if (this.shown && this.shown.isShown(name) !== on) {
      this.shown.toggle(name, on);
      if (!on) return;
      const found = await ask(this.api.circles(this.store.get().plan, this.version(), minutes));
      if (found.state === 'there') this.shown.setData(name, found.value);
      if (found.state === 'failed') this.tell(found.why, true);
    }
  }

  private async rank(): Promise<void> {
    const { store, api } = this;
    const { plan, level, minutes, info } = store.get();
    if (!level || !info) return;
    if (!info.limits.length) return store.set({ ranking: { state: 'there', value: [] } });
    store.set({ ranking: LOADING });
    const ranking = await ask(api.unserved(plan, this.version(), level, minutes));
    const now = store.get();
    if (now.level !== level || now.minutes !== minutes || now.plan !== plan) return;
    return store.set({ ranking });
  }

  // Shares are asked for only where they are looked at: a plan may have tens of thousands of cells.
  private async share(): Promise<void> {
    const { fill, plan, minutes } = this.store.get();
    const box = this.shown?.box();
    if (fill !== 'unserved' || !this.shown || !box) return;
    const found = await ask(this.api.cells(plan, this.version(), this.shown.filledLevel, box));
    if (found.state === 'there') this.shown?.setReach(reachOf(found.value, minutes));
    if (found.state === 'failed') this.tell(found.why, true);
  }

  private listen(): void {
    const { store } = this;
    store.on(['language'], ({ language }) => {
      setLanguage(language);
      this.drawAll();
    });
    store.on(['info', 'me'], () => this.drawAll());
    store.on(['level', 'filled', 'fill', 'text', 'minutes', 'layers', 'ranking', 'defects', 'projects'], () => drawSections(this));
    store.on(['level', 'fill', 'minutes', 'layers', 'stations', 'defects'], () => drawLegend(this));
    store.on(['level', 'fill', 'text', 'cell'], () => this.showAll());
    store.on(['layers'], () => this.showLayers());
    store.on(['level', 'minutes'], () => void this.rank());
    store.on(['level', 'minutes', 'fill'], () => this.shareSoon());
    store.on(['card'], () => drawCard(this));
    store.on(['isEditing', 'level', 'cell'], () => drawEditor(this));
    store.on(['stations'], ({ stations }) => {
      if (stations.state === 'there') this.shown?.setData('stations', stations.value);
    });
    store.on(['defects'], ({ defects }) => {
      if (defects.state === 'there') this.shown?.setData('defects', defectMarks(defects.value));
    });
    store.on(['plan', 'version', 'level', 'fill', 'text', 'minutes', 'language', 'cell', 'view'], (state) => {
      window.history.replaceState(null, '', writeHash(state));
    });
  }

  private drawAll(): void {
    drawHead(this);
    drawFoot(this);
    drawSearch(this);
    byId('gg-search-part').hidden = !this.store.get().info;
    drawSections(this);
    drawEditor(this);
    drawLegend(this);
    drawCard(this);
  }

  // A page without a map says why; an empty sentence makes room for the map.
  private blank(sentence: string, again?: () => void): void {
    byId('gg-map').replaceChildren();
    document.querySelector('.gg-blank')?.remove();
    if (!sentence) return;
    const button = again && h('button', { type: 'button', class: 'gg-button', onclick: again }, t('retry'));
    document.body.append(h('div', { class: 'gg-blank', role: 'status' }, h('p', {}, sentence), button));
  }
}

// Rosters have no areas, so no map shows them.
function mapped(plan: Plan): Plan {
  return { ...plan, levels: plan.levels.filter(({ contract }) => contract !== 'roster') };
}
