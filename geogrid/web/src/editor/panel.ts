// The editor beside the map, or under it on a phone: tools, what they would change, locks, undo.
import './editor.css';
import type { CellFacts, Level } from '../api/types';
import { ask, type Context, levelOf } from '../context';
import { byId, choice, h } from '../dom';
import { currentLanguage, t } from '../i18n';
import { toggledCell, toggledLevel } from './commands';
import { formOf } from './forms';
import { toggleHelp } from './help';
import { type Wanted, wantedBy } from './keys';
import { Dots } from './lists/dots';
import { ListPanel } from './lists/panel';
import { addLayers, hideLayers, showLocks, showResult } from './layers';
import { liveTable, stateBadge } from './live';
import { Session, type Tool } from './session';
import { Tools } from './tools';

const SMALL = '(max-width: 760px)';
const COARSE = '(pointer: coarse)';
const TOUCH_BRUSH = 14;

interface Running {
  context: Context;
  session: Session;
  tools: Tools;
  dots: Dots;
  listPanel: ListPanel;
  // The cell in hand, with its households as its planner may know them.
  facts: CellFacts | null;
  factsOf: string;
  // A form that is being filled in is not drawn again.
  form: { of: string; node: HTMLElement | null };
  // So are the tools: whoever walks through them by keys would be lost.
  choice: { of: string; node: HTMLElement | null };
}

let running: Running | null = null;

export function mayEdit({ store }: Context): boolean {
  const { me, info, version } = store.get();
  const isPlanner = me?.user?.roles.some(({ role }) => role === 'planner') ?? false;
  return isPlanner && info !== null && info.state === 'draft' && version === 'head';
}

function start(context: Context): void {
  const view = context.view();
  if (!view) return;
  const isTouch = window.matchMedia(COARSE).matches;
  const session = new Session(context, {
    changed: () => drawEditor(context),
    drawn: (shapes) => showResult(view, shapes),
  });
  if (isTouch) session.brush = TOUCH_BRUSH;
  const tools = new Tools(session, view);
  const listPanel = new ListPanel(session, tools, (level) => editLists(level));
  running = { context, session, tools, dots: new Dots(view, isTouch), listPanel, facts: null, factsOf: '', form: { of: '', node: null }, choice: { of: '', node: null } };
  addLayers(view, isTouch);
  document.addEventListener('keydown', onKey);
  window.addEventListener('resize', onResize);
  document.body.classList.add('gg-editing');
  context.store.set({ isEditing: true });
  context.fold();
  // Where nothing else can be edited, lists are.
  const { levels = [], lists = [] } = context.store.get().info ?? {};
  if (levels.every((one) => one.is_official) && lists.length) editLists(lists.at(-1)?.key ?? '');
  // What lies under the tools of a phone is not seen.
  if (window.matchMedia(SMALL).matches) view.map.setPadding({ bottom: byId('gg-dock').offsetHeight, top: 0, left: 0, right: 0 });
  session.ground.want(null);
}

function stop({ context, session, tools, dots }: Running): void {
  running = null;
  document.removeEventListener('keydown', onKey);
  window.removeEventListener('resize', onResize);
  document.body.classList.remove('gg-editing');
  document.getElementById('gg-dock')?.remove();
  const view = context.view();
  // A map that was taken down took its layers along.
  if (view?.map.getLayer('editor-result')) {
    tools.stop();
    session.ground.clear();
    dots.clear();
    hideLayers(view);
    view.isBusy = false;
    view.map.getCanvas().style.cursor = '';
    view.map.doubleClickZoom.enable();
    view.map.setPadding({ bottom: 0, top: 0, left: 0, right: 0 });
  }
  context.store.set({ isEditing: false });
}

// A phone that is turned has room beside the map.
function onResize(): void {
  if (running) drawEditor(running.context);
}

function onKey(event: KeyboardEvent): void {
  const wanted = wantedBy(event, running?.session.tools);
  const target = event.target instanceof HTMLElement ? event.target : null;
  const isTyping = target?.matches('select, textarea, input:not([type=radio]):not([type=range]):not([type=checkbox])') ?? false;
  const isButton = wanted?.act === 'enter' && (target?.matches('button, a, summary') ?? false);
  const isAsked = document.querySelector('dialog:modal') !== null && wanted?.act !== 'help';
  if (!running || !wanted || isAsked || isButton || (isTyping && wanted.act !== 'drop')) return;
  event.preventDefault();
  act(running, wanted);
}

function act({ session, tools }: Running, wanted: Wanted): void {
  switch (wanted.act) {
    case 'tool': return choose(wanted.tool);
    case 'undo': return void session.undo();
    case 'redo': return void session.redo();
    case 'enter': return void tools.now.enter();
    case 'remove': return tools.now.canRemove ? void tools.now.remove() : undefined;
    case 'help': return toggleHelp(session.tools);
    case 'drop': return drop();
    default:
      session.brush = Math.min(60, Math.max(2, session.brush + (wanted.act === 'larger' ? 4 : -4)));
      if (running) running.form.of = '';
      return session.tellChange();
  }
}

function choose(tool: Tool): void {
  if (!running) return;
  const { tools, session, context } = running;
  tools.drop();
  context.view()?.pick([context.store.get().cell].filter(Boolean));
  session.take(tool);
  // Who was chosen stays chosen under another tool.
  if (tool === 'list_put') tools.put.count();
  if (tool === 'list_create') tools.createList.count();
}

// Cells are edited where the level is "".
function editLists(level: string): void {
  if (!running) return;
  const { session, tools } = running;
  tools.drop();
  session.lists.open(level);
  session.take(session.tools[0] ?? 'pick');
}

function drop(): void {
  if (!running) return;
  running.tools.drop();
  running.session.lists.clear();
  running.session.forget();
  running.session.tellChange();
}

export function drawEditor(context: Context): void {
  const part = byId('gg-editor');
  const { store } = context;
  if (!store.get().isEditing && running) stop(running);
  if (!running) {
    part.replaceChildren(...(mayEdit(context) ? [h('section', {}, h('button', {
      type: 'button', class: 'gg-button gg-strong', id: 'gg-edit', onclick: () => start(context),
    }, t('editStart')))] : []));
    return;
  }
  const now = running;
  now.tools.adapt();
  now.session.ground.adapt();
  now.session.lists.adapt();
  now.dots.show(now.session.lists, now.session.merging);
  now.tools.now.settle();
  const view = context.view();
  if (view) showLocks(view, now.session.locks, store.get().filled || store.get().level);
  void learn(now);
  const isSmall = window.matchMedia(SMALL).matches;
  const host = isSmall ? dock() : part;
  if (isSmall) part.replaceChildren();
  else document.getElementById('gg-dock')?.remove();
  update(host, now, isSmall);
}

function dock(): HTMLElement {
  const known = document.getElementById('gg-dock');
  if (known) return known;
  const made = h('div', { id: 'gg-dock' });
  document.body.append(made);
  return made;
}

// Asks for what the service knows of the cell in hand, once a version.
async function learn(now: Running): Promise<void> {
  const { plan, cell, info } = now.context.store.get();
  const of = cell ? `${cell} ${info?.head ?? ''}` : '';
  if (of === now.factsOf) return;
  now.factsOf = of;
  if (!cell) now.facts = null;
  const answer = cell ? await ask(now.context.api.cell(plan, info?.head ?? 'head', cell)) : null;
  if (running !== now || now.factsOf !== of) return;
  now.facts = answer?.state === 'there' ? answer.value.properties : null;
  now.form.of = '';
  drawEditor(now.context);
}

function update(host: HTMLElement, now: Running, isSmall: boolean): void {
  const { session, context } = now;
  const level = levelOf(context.store.get());
  const parts = [
    h('div', { class: 'gg-tools-head' },
      h('h2', {}, t('edit')), steps(session),
      h('button', { type: 'button', class: 'gg-small', id: 'gg-keys-open', title: t('keys'), onclick: () => toggleHelp(session.tools) }, '?'),
      isSmall ? endButton(now) : null),
    now.listPanel.levels(),
    choiceNode(now),
    h('p', { id: 'gg-help', class: session.isGround && !session.ground.isNear ? 'gg-far' : null }, helpOf(now)),
    officialNote(context), formNode(now, level),
    ...(session.lists.isOn ? onLists(now, isSmall) : outcome(now)),
    belowTables(session, context, level),
    lockNote(session, context),
    h('div', { class: 'gg-row' },
      h('button', { type: 'button', class: 'gg-button', id: 'gg-submit', onclick: () => void session.submit() }, t('submit')),
      isSmall ? null : endButton(now)),
  ].filter((one) => one !== null);
  const held = host.querySelector('section.gg-tools');
  const section = held ?? h('section', { class: `gg-tools${isSmall ? ' gg-docked' : ''}` });
  if (!held) host.replaceChildren(section);
  exchange(section, parts);
}

function outcome(now: Running): (HTMLElement | null)[] {
  return [actions(now), stateBadge(now.session, now.context), liveTable(now.session, now.context, now.facts)];
}

// The tables are long: what comes of a tick stays in sight below them, on a phone above.
function onLists(now: Running, isSmall: boolean): (HTMLElement | null)[] {
  const tables = now.listPanel.tables();
  const { live, check, isSaving, isDeciding } = now.session;
  const isIdle = !live && check === 'none' && !isSaving && !isDeciding;
  const told = isIdle ? [actions(now)] : outcome(now);
  if (isSmall) return [...told, ...tables];
  return [...tables, h('div', { class: 'gg-outcome' }, ...told.reverse())];
}

// A node that stays is not moved: it would lose the caret of whoever types in it.
function exchange(host: Element, parts: readonly HTMLElement[]): void {
  for (const child of [...host.children]) if (!parts.includes(child as HTMLElement)) child.remove();
  parts.forEach((part, at) => {
    if (host.children[at] !== part) host.insertBefore(part, host.children[at] ?? null);
  });
}

function endButton(now: Running): HTMLElement {
  return h('button', { type: 'button', class: 'gg-button', id: 'gg-edit-end', onclick: () => stop(now) }, t('editEnd'));
}

function formNode(now: Running, level: Level | null): HTMLElement | null {
  const { session, tools, facts, form } = now;
  const list = session.tool === 'list_facts' ? session.lists.roll.get(session.lists.code) : null;
  const about = session.tool === 'facts' ? now.factsOf : [list?.code, list?.name, list?.kind].join(' ');
  const of = [session.tool, session.lists.level || level?.key, about, currentLanguage()].join('|');
  if (form.of !== of) now.form = { of, node: formOf(session, tools, level, facts) };
  return now.form.node;
}

function choiceNode(now: Running): HTMLElement {
  const of = [currentLanguage(), now.session.lists.isOn].join('|');
  const node = now.choice.of === of && now.choice.node ? now.choice.node : toolChoice(now.session);
  now.choice = { of, node };
  for (const input of node.querySelectorAll('input')) input.checked = input.value === now.session.tool;
  return node;
}

function toolChoice(now: Session): HTMLElement {
  return h('div', { class: 'gg-choices', id: 'gg-tools', role: 'radiogroup', 'aria-label': t('edit') },
    ...now.tools.map((tool: Tool, at) => {
      const label = choice('radio', 'tool', tool, t(`tool_${tool}`), now.tool === tool, () => choose(tool));
      label.append(h('kbd', { 'aria-hidden': 'true' }, String(at + 1)));
      return label;
    }));
}

function helpOf({ session, context, facts }: Running): string {
  const { cell, card } = context.store.get();
  const name = cell ? (facts?.name ?? card?.title ?? cell) : '';
  if (!name && ['paint', 'lasso', 'split', 'facts'].includes(session.tool)) return t('help_needCell');
  if (session.isGround && !session.ground.isNear) return t('help_far');
  if (session.isGround && session.ground.isLoading) return t('help_loading');
  const isDrawn = ['paint', 'lasso', 'create', 'split', 'list_put', 'list_create'].includes(session.tool) && window.matchMedia(COARSE).matches;
  return t(`help_${session.tool}`, { name }) + (isDrawn ? t('help_touch') : '');
}

const MOST_LETTERS = 9;

// What tells lists of one cell apart stands at the end of their names.
function tailOf(name: string): string {
  return name.length > MOST_LETTERS ? `…${name.slice(1 - MOST_LETTERS)}` : name;
}

function finishText({ tool, lists }: Session): string {
  switch (tool) {
    case 'create': return t('createDo');
    case 'split': return t('splitDo');
    case 'snap': return t('snapDo');
    case 'list_create': return t('listCreateDo', { n: lists.roll.count(lists.chosen) });
    case 'list_put':
      return lists.code ? t('listPutDo', { name: tailOf(lists.nameOf(lists.code)), n: lists.roll.count(lists.moving) }) : t('listPutNone');
    default: return '';
  }
}

function actions({ session, tools }: Running): HTMLElement | null {
  const { now } = tools;
  const button = (id: string, text: string, isOn: boolean, act: () => void, isStrong = false) => h('button', {
    type: 'button', class: `gg-button${isStrong ? ' gg-strong' : ''}`, id, disabled: !isOn || session.isSaving, onclick: act,
  }, text);
  const finish = finishText(session);
  const parts: HTMLElement[] = [];
  if (['merge', 'list_merge'].includes(session.tool) && now.canEnter) {
    const text = t(session.tool === 'merge' ? 'mergeDo' : 'listMergeDo', { n: session.merging.length });
    parts.push(button('gg-merge', text, true, () => void now.enter(), true));
  }
  if (finish) parts.push(button('gg-finish', finish, now.canEnter, () => void now.enter(), true));
  if (session.tool === 'border') parts.push(button('gg-remove', t('removeVertex'), now.canRemove, () => void now.remove()));
  if (session.tool === 'split') parts.push(button('gg-remove', t('removePoint'), now.canRemove, () => void now.remove()));
  if (finish || parts.length) parts.push(button('gg-drop', t('clearDraft'), now.canEnter || now.canRemove, drop));
  return parts.length ? h('div', { class: 'gg-row' }, ...parts) : null;
}

function belowTables(session: Session, context: Context, level: Level | null): HTMLElement | null {
  if (session.lists.isOn) return null;
  return session.tool === 'pick' || session.tool === 'facts' ? locks(session, context, level) : pieces(session);
}

function pieces(now: Session): HTMLElement {
  return h('label', { class: 'gg-row gg-tick' },
    ...choice('checkbox', 'pieces', 'on', t('allowPieces'), now.allowsPieces, (on) => now.allowPieces(on)).childNodes);
}

function steps(now: Session): HTMLElement {
  const button = (id: string, text: string, hint: string, isOn: boolean, act: () => Promise<unknown>) => h('button', {
    type: 'button', class: 'gg-button', id, title: hint, disabled: !isOn || now.isSaving, onclick: () => void act(),
  }, text);
  return h('div', { class: 'gg-row gg-steps' },
    button('gg-undo', t('undo'), 'Ctrl+Z', now.canUndo, () => now.undo()),
    button('gg-redo', t('redo'), 'Ctrl+Y', now.canRedo, () => now.redo()));
}

function locks(now: Session, { store }: Context, level: Level | null): HTMLElement {
  const { cell } = store.get();
  const held = now.locks;
  const isCellLocked = held.cells.some(([, code]) => code === cell);
  const isLevelLocked = level !== null && held.levels.includes(level.key);
  return h('div', { class: 'gg-row' },
    cell && level ? h('button', { type: 'button', class: 'gg-small', id: 'gg-lock-cell', onclick: () => void now.lock(toggledCell(held, level.key, cell)) },
      t(isCellLocked ? 'unlockCell' : 'lockCell')) : null,
    level && h('button', { type: 'button', class: 'gg-small', id: 'gg-lock-level', onclick: () => void now.lock(toggledLevel(held, level.key)) },
      t(isLevelLocked ? 'unlockLevel' : 'lockLevel', { level: level.name })));
}

// Says before the first refusal that nothing here can be moved.
function officialNote({ store }: Context): HTMLElement | null {
  const { info } = store.get();
  const level = levelOf(store.get());
  if (!info || !level?.is_official || running?.session.lists.isOn) return null;
  const isEditable = info.levels.some((one) => !one.is_official);
  const lists = info.lists?.length ? t('listsOnly', { lists: info.lists.map(({ name }) => name).join('、') }) : '';
  const note = isEditable ? t('officialLevel', { level: level.name }) : t('officialOnly', { level: level.name }) + lists;
  return h('p', { id: 'gg-official', class: 'gg-far' }, note);
}

const MOST_TOLD = 8;

function lockNote(now: Session, { store }: Context): HTMLElement | null {
  const { levels, cells } = now.locks;
  const names = levels.map((key) => store.get().info?.levels.find((one) => one.key === key)?.name ?? key);
  const all = [...names, ...cells.map(([, code]) => code)];
  if (!all.length) return null;
  const more = all.length > MOST_TOLD ? t('andMore', { n: all.length - MOST_TOLD }) : '';
  return h('p', { id: 'gg-locked' }, t('lockedCells', { what: all.slice(0, MOST_TOLD).join('、') }) + more);
}
