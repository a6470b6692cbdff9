// The title, what is known of its standing, and who looks.
import { type Context, shownVersion } from '../context';
import { byId, h } from '../dom';
import { t, type Word } from '../i18n';
import { WORDS } from '../words';
import { groundOf, TIANDITU } from '../map/tianditu';
import { accountMenu } from '../office/account';
import { askLogin } from './dialogs';

export function stateText(state: string): string {
  const word = `state_${state}`;
  return word in WORDS ? t(word as Word) : state;
}

export function badgesOf(context: Context): [string, string][] {
  const { info } = context.store.get();
  if (!info) return [];
  const state = stateText(shownVersion(context.store.get()).state);
  const found: [string, string][] = [...(state ? [[state, ''] as [string, string]] : []), [t(info.is_proven ? 'proven' : 'unproven'), info.is_proven ? 'good' : 'bad']];
  if (info.is_synthetic) found.push([t('synthetic'), 'warn']);
  if (info.is_estimated) found.push([t('estimated'), 'warn']);
  return found;
}

export function drawHead(context: Context): void {
  const { store } = context;
  const { info, me, language } = store.get();
  const title = info ? info.district?.name || info.name : t('product');
  document.title = info ? [title, info.scheme.title].filter(Boolean).join(' · ') : title;
  document.documentElement.lang = language === 'zh' ? 'zh-CN' : 'en';
  const toggle = h('button', {
    type: 'button', class: 'gg-toggle', id: 'gg-toggle', title: t('panelHint'), 'aria-controls': 'gg-panel',
    onclick: () => document.body.classList.toggle('gg-folded'),
  }, '☰');
  byId('gg-head').replaceChildren(
    toggle,
    h('div', { class: 'gg-titles' },
      h('h1', { id: 'gg-title' }, title),
      h('div', { class: 'gg-badges', id: 'gg-badges' },
        ...badgesOf(context).map(([text, kind]) => h('span', { class: `gg-badge ${kind}` }, text)))),
    h('div', { class: 'gg-head-buttons' },
      h('button', {
        type: 'button', class: 'gg-small', id: 'gg-language', title: t('languageHint'),
        onclick: () => store.set({ language: language === 'zh' ? 'en' : 'zh' }),
      }, t('language')),
      me?.user
        ? accountMenu(context)
        : me && h('button', { type: 'button', class: 'gg-small', id: 'gg-login', onclick: () => askLogin(context) }, t('login'))));
}

export function footOf(context: Context): string[] {
  const { info, layers } = context.store.get();
  const lines = (info?.sources ?? []).map(({ attribution }) => attribution ?? '').filter(Boolean);
  return [t('internalUse'), ...new Set([...lines, ...(groundOf(layers) ? [TIANDITU] : [])])];
}

export function drawFoot(context: Context): void {
  byId('gg-foot').replaceChildren(...footOf(context).map((text, at) => h('span', { class: at ? '' : 'gg-use' }, text)));
}
