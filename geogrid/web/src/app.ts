// The page: what is loaded when, and which part is drawn again after which change.
import { Api } from './api/client';
import { Office } from './api/office';
import type { Box, DefectFacts, Feature, Level, Plan } from './api/types';
import { ask, type Context, FIRST, LOADING, NO_RIVAL, type State, sentenceOf } from './context';
import { byId, h } from './dom';
import { endComparison, showLevel, startComparison, startPlanComparison } from './compare/view';
import { drawEditor } from './editor/panel';
import { boxOf } from './geo';
import { setLanguage, t } from './i18n';
import { drawAgain, loadOffice } from './jobs/panel';
import { defectMarks } from './map/marks';
import { type Ground, groundOf } from './map/tianditu';
import { MapView } from './map/view';
import { cellCard, drawCard, stationCard } from './panels/card';
import { drawFoot, drawHead } from './panels/head';
import { drawLegend } from './panels/legend';
import { drawSearch } from './panels/search';
import { drawSections } from './panels/side';
import { drawTabs, tabsOf } from './panels/tabs';
import { drawBanner } from './review/banner';
import { loadVersions } from './review/history';
import { refusalText } from './review/sentences';
import { may } from './review/steps';
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
  private ground: Ground | null = null;
  private rankingOf = '';
  readonly office: Office;

  constructor(readonly api: Api, readonly store: Store<State>) {
    this.office = new Office(api);
  }

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
    const [me, projects, settings] = await Promise.all([
      ask(this.api.me()), ask(this.api.projects()), ask(this.office.settings()),
    ]);
    if (me.state === 'failed') return this.blank(me.why, () => window.location.reload());
    // A page without 天地图 is a whole page.
    if (settings.state === 'there') store.set({ settings: settings.value });
    store.set({ me: me.state === 'there' ? me.value : null, projects });
    if (projects.state === 'failed') return this.blank(projects.why, () => window.location.reload());
    const plans = projects.state === 'there' ? projects.value.flatMap(({ plans: all }) => all) : [];
    const wanted = plans.find(({ id }) => id === store.get().plan) ?? plans[0];
    const who = store.get().me;
    if (!wanted) return this.blank(t(who?.user || who?.anonymous_viewing ? 'noPlans' : 'loginNeeded'));
    return this.open(wanted.id);
  }

  async open(plan: string): Promise<void> {
    const { store } = this;
    const isOther = !['', plan].includes(store.get().plan);
    endComparison(this);
    this.ground = null;
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
      plan, info: value, level, minutes, card: null, isEditing: false, versions: LOADING, chosen: [], rival: NO_RIVAL,
      ...(isOther ? { view: null, version: 'head', cell: '' } : {}),
    });
    this.blank('');
    await this.makeMap(value);
    const { cell } = store.get();
    if (cell) void this.pickCell(cell, { zoom: !store.get().view });
    if (store.get().version !== 'head') this.needVersions();
    return this.refresh();
  }

  async reload(): Promise<void> {
    const { store, api } = this;
    const info = await ask(api.plan(store.get().plan));
    if (info.state === 'there') store.set({ info: mapped(info.value) });
    await loadVersions(this);
  }

  async reloadProjects(): Promise<void> {
    const projects = await ask(this.api.projects());
    if (projects.state === 'there') this.store.set({ projects });
  }

  async showVersion(version: string): Promise<void> {
    const { store } = this;
    endComparison(this);
    const isHead = version === store.get().info?.head;
    store.set({ version: isHead ? 'head' : version, isEditing: false, card: null, cell: '' });
    this.shown?.setTiles(this.tilesOf(this.version()));
    this.fold();
    return this.refresh();
  }

  compare(before: string, after: string): Promise<void> {
    this.fold();
    return startComparison(this, before, after);
  }

  comparePlans(version: string, other: string, otherVersion: string): Promise<void> {
    this.fold();
    return startPlanComparison(this, version, other, otherVersion);
  }

  // Loads what stands beside the map; with a version also the plan's head and its tiles.
  async refresh(version?: string): Promise<void> {
    const { store, api } = this;
    const { plan } = store.get();
    if (version !== undefined) {
      const info = await ask(api.plan(plan));
      if (info.state === 'there') store.set({ info: mapped(info.value), version: 'head', versions: LOADING });
      this.shown?.setTiles(this.tilesOf(version));
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
    notice.replaceChildren(h('span', {}, refusalText(sentence)));
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

  tilesOf(version: string, plan = this.store.get().plan): { cells: string; base: string } {
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
      this.shown = new MapView(container, plan, this.tilesOf(this.version()), store.get().view, {
        onCell: (code) => void this.pickCell(code),
        onStation: (station) => store.set({ card: stationCard(station as { name: string }), cell: '' }),
        onMove: (view) => store.set({ view }),
        onFilled: (filled) => store.set({ filled }),
        onFault: () => this.tell(t('tilesFailed'), true),
      });
    } catch {
      return this.blank(t('noWebgl'));
    }
    Object.assign(window, { geogridWeb: { view: this.shown, store } });
    await this.shown.ready;
    byId('gg-legend').toggleAttribute('open', !window.matchMedia(SMALL).matches);
    this.showAll();
    this.showData();
    return undefined;
  }

  // Everything of the state that the map shows.
  private showAll(): void {
    const { info, level, fill, text, cell, minutes } = this.store.get();
    if (!info || !this.shown) return;
    this.shown.showLevel(Math.max(0, info.levels.findIndex(({ key }) => key === level)));
    this.shown.setFill(fill, minutes);
    this.shown.setText(text);
    this.shown.pick(cell ? [cell] : []);
    this.showLayers();
  }

  private showLayers(): void {
    const { info, layers } = this.store.get();
    const { tianditu_key: key } = this.store.get().settings;
    const ground = key ? groundOf(layers) : null;
    if (ground !== this.ground) this.shown?.setGround(ground, key ?? '');
    this.ground = ground;
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
    const key = [plan, this.version(), level, minutes].join('/');
    // Two changes at once ask once.
    if (this.rankingOf === key && store.get().ranking.state === 'loading') return undefined;
    this.rankingOf = key;
    store.set({ ranking: LOADING });
    const ranking = await ask(api.unserved(plan, this.version(), level, minutes));
    if (this.rankingOf !== key) return undefined;
    return store.set({ ranking });
  }

  // What came before the map was there.
  private showData(): void {
    const { stations, defects } = this.store.get();
    if (stations.state === 'there') this.shown?.setData('stations', stations.value);
    if (defects.state === 'there') this.shown?.setData('defects', defectMarks(defects.value));
  }

  private needVersions(): void {
    const { versions, me } = this.store.get();
    if (versions.state === 'loading' && may(me, 'seeVersions')) void loadVersions(this);
  }

  private onTab(): void {
    const { tab } = this.store.get();
    if (tab !== 'versions') endComparison(this);
    if (tab === 'jobs') void loadOffice(this);
    drawTabs(this);
    drawSections(this);
  }

  private listen(): void {
    const { store } = this;
    store.on(['language'], ({ language }) => {
      setLanguage(language);
      this.drawAll();
    });
    store.on(['info', 'me'], () => this.drawAll());
    store.on(['level', 'filled', 'fill', 'text', 'minutes', 'layers', 'ranking', 'defects', 'projects', 'version', 'versions', 'chosen', 'pair', 'rival'], ({ tab }) => {
      // Nothing of these is among data and jobs, where somebody may be writing.
      if (tab !== 'jobs') drawSections(this);
    });
    store.on(['jobs'], () => drawAgain(this, 'jobs'));
    store.on(['files'], () => drawAgain(this, 'files', 'forms'));
    store.on(['schemes', 'projects'], () => drawAgain(this, 'forms'));
    store.on(['tab'], () => this.onTab());
    store.on(['versions', 'tab'], ({ tab, versions }) => {
      if (tab === 'versions' && versions.state === 'loading') this.needVersions();
    });
    store.on(['version', 'versions'], () => {
      drawHead(this);
      drawBanner(this);
    });
    store.on(['level', 'text'], () => showLevel(this));
    store.on(['level', 'fill', 'minutes', 'layers', 'stations', 'defects'], () => drawLegend(this));
    store.on(['level', 'fill', 'text', 'cell', 'minutes'], () => this.showAll());
    store.on(['layers'], () => {
      this.showLayers();
      drawFoot(this);
    });
    store.on(['level', 'minutes'], () => void this.rank());
    store.on(['card'], () => drawCard(this));
    store.on(['isEditing', 'level', 'cell', 'version'], () => drawEditor(this));
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
    const { store } = this;
    if (!tabsOf(this).includes(store.get().tab)) store.set({ tab: 'map' });
    drawHead(this);
    drawFoot(this);
    drawTabs(this);
    drawBanner(this);
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
    document.body.append(h('div', { class: 'gg-blank', role: 'status' }, h('p', {}, refusalText(sentence)), button));
  }
}

// Levels that list households have no areas, so no map shows them.
function mapped(plan: Plan): Plan {
  const isArea = ({ contract }: Level): boolean => contract === 'area';
  return { ...plan, levels: plan.levels.filter(isArea), lists: plan.levels.filter((level) => !isArea(level)) };
}
