// Beside the map: which lists are edited, the lists of the cell against their band, and who is in
// them. Where households have no points the table does what dots do.
import { choice, h } from '../../dom';
import { currentLanguage, t } from '../../i18n';
import { bandLimits } from '../../panels/legend';
import { bandLook } from '../bands';
import { bandWord, bar } from '../live';
import { said } from '../refusal';
import type { Session } from '../session';
import type { Tools } from '../tools';
import { type ListFacts, type Member, pageOf, type Roll, type Sieve } from './roll';

const FEW_LISTS = 12;
const MOST_LISTS = 300;
const PAGE = 50;

// A part of the page that stays while what it was made of does: whoever walks through it by keys,
// scrolls or types in it would be lost.
class Kept {
  private of: readonly unknown[] = [];
  private node: HTMLElement | null = null;

  make(of: readonly unknown[], build: () => HTMLElement): HTMLElement {
    if (!this.node || of.length !== this.of.length || of.some((value, at) => value !== this.of[at])) this.node = build();
    this.of = of;
    return this.node;
  }
}

function ticks(node: HTMLElement, isOn: (value: string) => boolean): void {
  for (const input of node.querySelectorAll<HTMLInputElement>('input[type=radio], input[type=checkbox]')) {
    if (input.value === 'all') continue;
    input.checked = isOn(input.value);
    input.closest('tr')?.classList.toggle('gg-now', input.checked);
  }
}

export class ListPanel {
  private readonly kept = { levels: new Kept(), lists: new Kept(), find: new Kept(), findList: new Kept(), homes: new Kept() };
  // What lists are looked for by, and the one that was in hand when they were drawn.
  private words = '';
  private seen = '';

  constructor(private readonly session: Session, private readonly tools: Tools, private readonly edit: (level: string) => void) {}

  // Cells or one of the levels of lists; nothing where there are no lists.
  levels(): HTMLElement | null {
    const { lists } = this.session;
    const { info } = this.session.context.store.get();
    const all = lists.levels.filter(({ cells }) => cells > 0);
    if (!all.length) return null;
    const hasCells = info?.levels.some((one) => !one.is_official) ?? false;
    const node = this.kept.levels.make([currentLanguage(), info?.levels, info?.lists], () => h('div', { class: 'gg-choices', id: 'gg-edit-what', role: 'radiogroup', 'aria-label': t('editWhat') },
      h('span', { class: 'gg-hint' }, t('editWhat')),
      ...(hasCells ? [choice('radio', 'what', 'cells', t('editCells'), false, () => this.edit(''))] : []),
      ...all.map(({ key, name }) => choice('radio', 'what', key, t('editLists', { level: name }), false, () => this.edit(key)))));
    ticks(node, (value) => value === (lists.level || 'cells'));
    return node;
  }

  tables(): HTMLElement[] {
    const { lists, context } = this.session;
    const { asked, roll } = lists;
    if (asked.state === 'loading') return [h('p', { class: 'gg-wait' }, t('help_loading'))];
    if (asked.state === 'failed') return [h('p', { class: 'gg-fault' }, said(asked.why).first)];
    if (!context.store.get().cell) return [h('p', { class: 'gg-wait', id: 'gg-lists-none' }, t('listsNeedCell')), ...this.tooMany(roll)];
    if (!roll.members.length) return [h('p', { class: 'gg-wait', id: 'gg-lists-none' }, t('listsNone'))];
    return [...this.findList(roll), this.lists(roll), ...this.tooMany(roll), ...this.homes(roll)];
  }

  private tooMany({ missing }: Roll): HTMLElement[] {
    return missing > 0 ? [h('p', { class: 'gg-far' }, t('listsTooMany', { n: missing }))] : [];
  }

  private findList({ lists }: Roll): HTMLElement[] {
    if (lists.length <= FEW_LISTS) {
      this.words = '';
      return [];
    }
    return [this.kept.findList.make([currentLanguage()], () => {
      const input = h('input', {
        type: 'search', id: 'gg-lists-find', class: 'gg-select', value: this.words, placeholder: t('listsFind'), 'aria-label': t('listsFind'),
        oninput: () => {
          this.words = input.value;
          this.session.tellChange();
        },
      });
      return h('div', { class: 'gg-find' }, input);
    })];
  }

  private lists(roll: Roll): HTMLElement {
    const { session } = this;
    const isMerging = session.tool === 'list_merge';
    const level = session.lists.now;
    const wanted = this.words.trim().toLowerCase();
    const found = roll.lists.filter(({ code, name }) => `${code} ${name}`.toLowerCase().includes(wanted));
    const node = this.kept.lists.make([roll, wanted, isMerging, currentLanguage(), level], () => h('div', { class: `gg-scrolled${level?.band ? ' gg-banded' : ''}`, id: 'gg-lists' },
      h('table', { class: 'gg-live' },
        h('caption', {}, t('listsOf', { level: level?.name ?? '', n: found.length }),
          h('small', {}, level?.band ? ` ${bandLimits(level.band)}` : '')),
        h('tbody', {}, ...found.slice(0, MOST_LISTS).map((list) => this.listRow(roll, list, isMerging)),
          found.length > MOST_LISTS && h('tr', {}, h('td', { colspan: 3 }, t('andMore', { n: found.length - MOST_LISTS })))))));
    ticks(node, (code) => (isMerging ? session.merging.includes(code) : session.lists.code === code));
    if (session.lists.code !== this.seen) this.reveal(node);
    this.seen = session.lists.code;
    return node;
  }

  // Brings the list in hand into its box, where a dot took it; the page itself stays.
  private reveal(node: HTMLElement): void {
    window.requestAnimationFrame(() => {
      const row = node.querySelector<HTMLElement>('tr.gg-now');
      if (row) node.scrollTop = row.offsetTop - (node.clientHeight - row.clientHeight) / 2;
    });
  }

  private listRow(roll: Roll, list: ListFacts, isMerging: boolean): HTMLElement {
    const { code, name, households } = list;
    const level = this.session.lists.now;
    const swatch = h('span', { class: 'gg-swatch gg-dot' });
    swatch.style.background = roll.colourOf(code);
    const pick = choice(isMerging ? 'checkbox' : 'radio', 'list', code, name || code, false, () => this.takeList(code));
    pick.prepend(swatch);
    return h('tr', { class: `gg-look-${level ? bandLook(households, level.band) : 'none'}`, 'data-list': code },
      h('td', {}, pick),
      h('td', {}, level && bar(households, null, level)),
      h('td', {}, h('span', {}, String(households)), h('small', {}, list.band && list.band !== 'in' ? bandWord(households, level) : '')));
  }

  private takeList(code: string): void {
    const { session, tools } = this;
    if (session.tool === 'list_merge') return tools.mergeLists.toggle(code);
    session.lists.take(code);
    this.recount();
  }

  // Counts what is chosen under the tool in hand, or draws the panel anew.
  private recount(): void {
    const { session, tools } = this;
    if (session.tool === 'list_put') return tools.put.count();
    if (session.tool === 'list_create') return tools.createList.count();
    session.forget();
    session.tellChange();
  }

  private homes(roll: Roll): HTMLElement[] {
    const { session } = this;
    if (session.tool !== 'list_put' && session.tool !== 'list_create') return [];
    const { lists } = session;
    const { sieve } = lists;
    const unplaced = roll.members.length - roll.placed.length;
    const note = unplaced === roll.members.length ? t('homesNoPoints') : unplaced ? t('homesSomePoints', { n: unplaced }) : '';
    const shown = roll.sifted(sieve);
    const { rows, page, pages } = pageOf(shown, lists.page, PAGE);
    const table = this.kept.homes.make([roll, sieve, page, currentLanguage()], () => this.table(roll, rows));
    ticks(table, (id) => lists.chosen.has(id));
    const all = table.querySelector<HTMLInputElement>('input[value=all]');
    if (all) all.checked = rows.length > 0 && rows.every(({ properties }) => lists.chosen.has(properties.household_id));
    return [
      h('p', { id: 'gg-homes-count' }, h('strong', {}, t('homesOf', { n: shown.length, m: roll.count(lists.chosen) })), note && ` ${note}`),
      this.find(),
      this.sieves(roll),
      table,
      this.pager(page, pages),
    ];
  }

  private find(): HTMLElement {
    const { lists } = this.session;
    const node = this.kept.find.make([currentLanguage()], () => {
      const input = h('input', {
        type: 'search', id: 'gg-homes-find', class: 'gg-select', placeholder: t('homesFind'), 'aria-label': t('homesFind'),
        oninput: () => {
          lists.sift({ ...lists.sieve, words: input.value });
          this.session.tellChange();
        },
      });
      return h('div', {}, input);
    });
    const input = node.querySelector('input');
    if (input && input.value !== lists.sieve.words) input.value = lists.sieve.words;
    return node;
  }

  private sieves(roll: Roll): HTMLElement {
    const { lists } = this.session;
    const { sieve, chosen } = lists;
    const button = (of: Sieve['of'], text: string, isThere: boolean, change: Partial<Sieve>) => isThere && h('button', {
      type: 'button', class: `gg-small${sieve.of === of ? ' gg-strong-small' : ''}`, id: `gg-homes-${of}`, 'aria-pressed': String(sieve.of === of),
      onclick: () => {
        lists.sift({ ...lists.sieve, of, list: '', ids: null, ...change });
        this.session.tellChange();
      },
    }, text);
    return h('div', { class: 'gg-row gg-sieves' },
      button('all', t('homesAll'), true, {}),
      button('list', t('homesNow'), lists.code !== '', { list: lists.code }),
      button('chosen', t('homesChosen', { n: roll.count(chosen) }), chosen.size > 0, { ids: chosen }),
      button('here', t('homesHere', { n: roll.count(sieve.ids ?? []) }), sieve.of === 'here', { ids: sieve.ids }));
  }

  private table(roll: Roll, rows: readonly Member[]): HTMLElement {
    const ids = rows.map(({ properties }) => properties.household_id);
    const tick = (of: readonly string[]) => {
      this.session.lists.toggle(of);
      this.recount();
    };
    return h('div', { class: 'gg-scrolled', id: 'gg-homes' }, h('table', { class: 'gg-table' },
      h('thead', {}, h('tr', {},
        h('th', {}, choice('checkbox', 'home', 'all', t('homesId'), false, () => tick(ids))), h('th', {}, t('homesList')))),
      h('tbody', {}, ...rows.map(({ properties: { household_id: id, households, list } }) => h('tr', {},
        h('td', {}, choice('checkbox', 'home', id, households > 1 ? `${id}（${t('householdsUnit', { n: households })}）` : id, false, () => tick([id]))),
        h('td', {}, roll.get(list)?.name || list))),
      !rows.length && h('tr', {}, h('td', { colspan: 2 }, t('homesNothing'))))));
  }

  private pager(page: number, pages: number): HTMLElement {
    const go = (to: number, id: string, sign: string, text: string) => h('button', {
      type: 'button', class: 'gg-small', id, 'aria-label': text, title: text, disabled: to < 0 || to >= pages, onclick: () => {
        this.session.lists.page = to;
        this.session.tellChange();
      },
    }, sign);
    return h('div', { class: 'gg-row', hidden: pages < 2 },
      go(page - 1, 'gg-homes-back', '‹', t('pageBack')), h('span', {}, t('pageOf', { n: page + 1, m: pages })), go(page + 1, 'gg-homes-on', '›', t('pageOn')));
  }
}
