// Dialogs: signing in, a yes or no, and what to do when somebody else was faster.
import { ApiError } from '../api/client';
import { type Context, sentenceOf } from '../context';
import { h } from '../dom';
import { t } from '../i18n';

export function openDialog(dialog: HTMLDialogElement): void {
  document.body.append(dialog);
  dialog.addEventListener('close', () => dialog.remove());
  dialog.showModal();
}

export function askLogin({ api, store }: Context): void {
  const { sign_in: ways } = store.get().me ?? {};
  const name = h('input', { name: 'name', autocomplete: 'username', required: true });
  const password = h('input', { name: 'password', type: 'password', autocomplete: 'current-password', required: true });
  const fault = h('p', { class: 'gg-fault', role: 'alert', hidden: true });
  const enter = async (event: Event) => {
    event.preventDefault();
    try {
      await api.login(name.value, password.value);
      window.location.reload();
    } catch (failed) {
      const isWrong = failed instanceof ApiError && failed.status === 401;
      fault.textContent = isWrong ? t('loginFailed') : sentenceOf(failed);
      fault.hidden = false;
    }
  };
  const dialog = h('dialog', { id: 'gg-login-dialog' },
    h('h2', {}, t('login')),
    ways?.oidc && h('a', { class: 'gg-button gg-strong gg-link', id: 'gg-oidc', href: api.address('/login/oidc?next=/app/') },
      t('loginWith', { title: ways.oidc.title })),
    ways?.password !== false && h('form', { onsubmit: (event: Event) => void enter(event) },
      h('label', {}, t('userName'), name), h('label', {}, t('password'), password), fault,
      h('div', { class: 'gg-row' },
        h('button', { class: 'gg-button gg-strong' }, t('login')),
        h('button', { type: 'button', class: 'gg-button', onclick: () => dialog.close() }, t('cancel')))));
  openDialog(dialog);
}

export function askWhich(title: string, text: string, codes: readonly string[], choices: readonly string[]): Promise<number> {
  return new Promise((resolve) => {
    const dialog = h('dialog', { class: 'gg-question' });
    const answer = (at: number) => () => {
      resolve(at);
      dialog.close();
    };
    dialog.addEventListener('cancel', () => resolve(-1));
    dialog.append(
      h('h2', {}, title), h('p', {}, text),
      ...(codes.length ? [h('div', { class: 'gg-codes' }, ...codes.map((code) => h('div', {}, code)))] : []),
      h('div', { class: 'gg-row' }, ...choices.map((choice, at) =>
        h('button', { type: 'button', class: at ? 'gg-button' : 'gg-button gg-strong', onclick: answer(at) }, choice))));
    openDialog(dialog);
  });
}
