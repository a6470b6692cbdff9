// What the sections beside the map are made of.
import type { Asked } from '../context';
import { h } from '../dom';
import { t } from '../i18n';
import { refusalText } from '../review/sentences';

export function section(title: string, hint: string, ...parts: (HTMLElement | null)[]): HTMLElement {
  return h('section', {}, h('h2', {}, title, hint && h('small', {}, ` ${hint}`)), ...parts);
}

export function asked<T>(what: Asked<T>, draw: (value: T) => HTMLElement, again: () => void): HTMLElement {
  if (what.state === 'loading') return h('p', { class: 'gg-wait' }, t('loading'));
  if (what.state === 'there') return draw(what.value);
  return h('div', {}, h('p', { class: 'gg-fault' }, refusalText(what.why)),
    h('button', { type: 'button', class: 'gg-small', onclick: again }, t('retry')));
}
