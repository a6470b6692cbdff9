// The editor beside the map: tools, what they would change, locks, undo, submission.
import type { Level } from '../api/types';
import { type Context, levelOf } from '../context';
import { byId, choice, h } from '../dom';
import { bandText, t } from '../i18n';
import { bandLimits } from '../panels/legend';
import { merge, toggledCell, toggledLevel } from './commands';
import { Session, TOOLS, type Tool } from './session';
import { Tools } from './tools';

let session: Session | null = null;
let tools: Tools | null = null;

export function mayEdit({ store }: Context): boolean {
  const { me, info, version } = store.get();
  const isPlanner = me?.user?.roles.some(({ role }) => role === 'planner') ?? false;
  return isPlanner && info !== null && info.state === 'draft' && version === 'head';
}

function start(context: Context): void {
  const view = context.view();
  if (!view) return;
  session = new Session(context, () => drawEditor(context));
  tools = new Tools(session, view);
  document.addEventListener('keydown', onKey);
  context.store.set({ isEditing: true });
}

function stop(context: Context): void {
  document.removeEventListener('keydown', onKey);
  tools?.stop();
  const view = context.view();
  if (view) {
    view.isBusy = false;
    view.map.getCanvas().style.cursor = '';
    view.map.doubleClickZoom.enable();
    view.clearData('atoms');
  }
  session = null;
  tools = null;
  context.store.set({ isEditing: false });
}

function onKey(event: KeyboardEvent): void {
  if (!session || event.target instanceof HTMLInputElement && event.target.type !== 'radio') return;
  const key = event.key.toLowerCase();
  const isControl = event.ctrlKey || event.metaKey;
  let isOurs = tools?.key(event) ?? false;
  if (isControl && key === 'z') {
    isOurs = true;
    if (event.shiftKey) void redo();
    else void undo();
  }
  if (isControl && key === 'y') {
    isOurs = true;
    void redo();
  }
  if (isOurs) event.preventDefault();
}

async function undo(): Promise<void> {
  if (session?.steps.done.length) await session.undo();
}

async function redo(): Promise<void> {
  if (session?.steps.undone.length) await session.redo();
}

export function drawEditor(context: Context): void {
  const part = byId('gg-editor');
  const { store } = context;
  if (!store.get().isEditing && session) stop(context);
  if (!mayEdit(context) && !session) {
    part.replaceChildren();
    return;
  }
  if (!session) {
    part.replaceChildren(h('section', {}, h('button', {
      type: 'button', class: 'gg-button gg-strong', id: 'gg-edit', onclick: () => start(context),
    }, t('editStart'))));
    return;
  }
  tools?.adapt();
  const level = levelOf(store.get());
  part.replaceChildren(h('section', { class: 'gg-tools' },
    h('h2', {}, t('edit')),
    toolChoice(session),
    h('p', { id: 'gg-help' }, helpOf(session, nameOf(context))),
    brushChoice(session), mergeButton(session, store.get().level),
    steps(session), live(session, level),
    locks(session, context, level),
    h('div', { class: 'gg-row' },
      h('button', { type: 'button', class: 'gg-button', id: 'gg-submit', onclick: () => void session?.submit() }, t('submit')),
      h('button', { type: 'button', class: 'gg-button', id: 'gg-edit-end', onclick: () => stop(context) }, t('editEnd')))));
}

function nameOf({ store }: Context): string {
  const { cell, card } = store.get();
  return cell ? (card?.title ?? cell) : '';
}

function toolChoice(now: Session): HTMLElement {
  return h('div', { class: 'gg-choices', id: 'gg-tools', role: 'radiogroup', 'aria-label': t('edit') },
    ...TOOLS.map((tool: Tool) => choice('radio', 'tool', tool, t(`tool_${tool}`), now.tool === tool, () => {
      tools?.drop();
      now.take(tool);
    })));
}

function helpOf(now: Session, name: string): string {
  const needsCell = now.tool === 'paint' || now.tool === 'lasso' || now.tool === 'split';
  if (needsCell && !name) return t('help_needCell');
  const needsZoom = now.tool === 'paint' || now.tool === 'lasso' || now.tool === 'border';
  if (needsZoom && !now.isNear) return t('help_zoom');
  return t(`help_${now.tool}`, { name });
}

function brushChoice(now: Session): HTMLElement | null {
  if (now.tool !== 'paint') return null;
  const input = h('input', {
    type: 'range', min: 2, max: 60, value: now.brush, 'aria-label': t('brushSize'),
    oninput: () => { now.brush = Number(input.value); },
  });
  return h('label', { class: 'gg-row' }, t('brushSize'), input);
}

function mergeButton(now: Session, level: string): HTMLElement | null {
  if (now.tool !== 'merge' || now.merging.length < 2) return null;
  const act = async () => {
    const done = await now.commit(merge(level, now.merging, now.merging[0] ?? ''));
    if (done) now.chooseForMerge([]);
  };
  return h('button', { type: 'button', class: 'gg-button gg-strong', id: 'gg-merge', disabled: now.isSaving, onclick: () => void act() },
    t('mergeDo', { n: now.merging.length }));
}

function steps(now: Session): HTMLElement {
  const button = (id: string, text: string, isOn: boolean, act: () => Promise<void>) => h('button', {
    type: 'button', class: 'gg-button', id, disabled: !isOn || now.isSaving, onclick: () => void act(),
  }, text);
  return h('div', { class: 'gg-row' },
    button('gg-undo', `${t('undo')} (Ctrl+Z)`, now.steps.done.length > 0, undo),
    button('gg-redo', `${t('redo')} (Ctrl+Y)`, now.steps.undone.length > 0, redo));
}

function live(now: Session, level: Level | null): HTMLElement {
  const note = (text: string, kind = '') => h('p', { class: kind || 'gg-wait' }, text);
  const { live: found } = now;
  const rows = found?.cells.map(({ level: key, code, households, band }) => h('tr', {},
    h('td', {}, code),
    h('td', {}, [now.before.get(code), households].filter((one) => one !== undefined && one !== null).join(' → ') || '—'),
    h('td', { class: `gg-${band ?? 'none'}` }, band && key ? bandText(band) : '')));
  return h('div', { id: 'gg-live' },
    h('h2', {}, t('live'), h('small', {}, level?.band ? ` ${level.name} ${bandLimits(level.band)}` : '')),
    now.isSaving ? note(t('saving')) : now.isCounting && note(t('liveWorking')),
    found?.refused ? note(t('refused', { why: found.refused }), 'gg-fault') : null,
    rows?.length ? h('table', { class: 'gg-live' }, h('tbody', {}, ...rows)) : !found && !now.isCounting && note(t('liveNone')));
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
