// The list of keys.
import { h } from '../dom';
import { t, type Word } from '../i18n';
import type { Tool } from './session';

export function toggleHelp(tools: readonly Tool[]): void {
  const open = document.getElementById('gg-keys');
  if (open instanceof HTMLDialogElement) {
    open.close();
    return;
  }
  const rows: [string, string][] = [
    ...tools.map((tool, at): [string, string] => [String(at + 1), t(`tool_${tool}`)]),
    ['Enter', t('keys_enter')], ['Esc', t('keys_escape')], ['Delete', t('keys_remove')],
    ['Ctrl+Z', t('keys_undo')], ['Ctrl+Y / Ctrl+Shift+Z', t('keys_redo')],
    ['[ ]', t('keys_brush')], ['?', t('keys_help')],
  ];
  const dialog = h('dialog', { id: 'gg-keys', 'aria-label': t('keys' satisfies Word) },
    h('h2', {}, t('keys')),
    h('dl', {}, ...rows.flatMap(([key, text]) => [h('dt', {}, h('kbd', {}, key)), h('dd', {}, text)])),
    h('p', { class: 'gg-wait' }, t('keys_touch')),
    h('div', { class: 'gg-row' }, h('button', { type: 'button', class: 'gg-button', onclick: () => dialog.close() }, t('close'))));
  dialog.addEventListener('close', () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}
