// What a tool asks beside the map. A form stays in the page while it is filled in.
import type { Level } from '../api/types';
import { h } from '../dom';
import { t } from '../i18n';
import { assignKind, rename } from './commands';
import type { Session } from './session';
import type { Wish } from './take';
import type { Tools } from './tools';

function slider(label: (value: number) => string, from: number, to: number, now: number, act: (value: number) => void): HTMLElement {
  const text = h('span', {}, label(now));
  const input = h('input', {
    type: 'range', min: from, max: to, value: now, 'aria-label': label(now),
    oninput: () => {
      text.textContent = label(Number(input.value));
      act(Number(input.value));
    },
  });
  return h('label', { class: 'gg-row gg-slider' }, text, input);
}

function kinds(level: Level | null, now: string, isOptional: boolean, act: (kind: string) => void): HTMLElement | null {
  const all = level?.kinds ?? [];
  if (all.length < 2) return null;
  const select = h('select', { class: 'gg-select', name: 'kind', onchange: () => act(select.value) },
    ...(isOptional ? [h('option', { value: '' }, t('kindAuto'))] : []), ...all.map((kind) => h('option', { value: kind }, kind)));
  select.value = now;
  return h('label', { class: 'gg-field' }, t('cellKind'), select);
}

function createForm(level: Level | null, wish: Wish, count: () => void): HTMLElement {
  const name = h('input', {
    name: 'name', value: wish.name, placeholder: t('nameAuto'), maxlength: 60, oninput: () => { wish.name = name.value; },
  });
  return h('div', { class: 'gg-form' },
    h('label', { class: 'gg-field' }, t('cellName'), name),
    kinds(level, wish.kind, true, (kind) => {
      wish.kind = kind;
      count();
    }));
}

interface Named {
  level: string;
  code: string;
  name: string;
  kind: string;
}

function factsForm(session: Session, level: Level | null, facts: Named): HTMLElement {
  const name = h('input', { name: 'name', value: facts.name, maxlength: 60, required: true });
  let kind = facts.kind;
  const save = async (event: Event) => {
    event.preventDefault();
    const { level: key, code } = facts;
    if (name.value.trim() !== facts.name && !(await session.commit(rename(key, code, name.value.trim())))) return;
    if (kind !== facts.kind) await session.commit(assignKind(key, code, kind));
  };
  return h('form', { class: 'gg-form', id: 'gg-facts', onsubmit: (event: Event) => void save(event) },
    h('label', { class: 'gg-field' }, t('cellName'), name),
    kinds(level, facts.kind, false, (next) => {
      kind = next;
      if (kind === facts.kind) session.forget();
      else session.preview(assignKind(facts.level, facts.code, kind));
      session.tellChange();
    }),
    h('button', { class: 'gg-button gg-strong', id: 'gg-facts-save' }, t('saveFacts')));
}

export function formOf(session: Session, tools: Tools, level: Level | null, facts: Named | null): HTMLElement | null {
  const { lists } = session;
  switch (session.tool) {
    case 'paint':
      return slider((size) => `${t('brushSize')} ${size}`, 2, 60, session.brush, (size) => { session.brush = size; });
    case 'create':
      return createForm(level, tools.create.wish, () => tools.create.count());
    case 'list_create':
      return createForm(lists.now, lists.wish, () => tools.createList.count());
    case 'snap':
      return slider((n) => t('within', { n }), 5, 100, session.within, (n) => {
        session.within = n;
        tools.snap.count();
      });
    case 'facts':
      return facts ? factsForm(session, level, facts) : null;
    case 'list_facts': {
      const list = lists.roll.get(lists.code);
      return list ? factsForm(session, lists.now, { ...list, level: lists.level }) : null;
    }
    default:
      return null;
  }
}
