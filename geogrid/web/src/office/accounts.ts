// The accounts that an admin keeps.
import type { Account, GrantPair } from '../api/office.types';
import { ask, type Asked, type Context, LOADING, sentenceOf } from '../context';
import { h } from '../dom';
import { t, type Word } from '../i18n';
import { openDialog } from '../panels/dialogs';
import { asked } from '../panels/parts';
import { refusalText } from '../review/sentences';
import { secret } from './account';

const ROLES = ['viewer', 'planner', 'reviewer', 'admin'] as const;

export const roleText = (role: string): string =>
  ((ROLES as readonly string[]).includes(role) ? t(`roleName_${role}` as Word) : role);

export function openAccounts(context: Context): void {
  const list = h('div', {});
  const fault = h('p', { class: 'gg-fault', role: 'alert', hidden: true });
  const say = (sentence: string) => {
    fault.textContent = sentence;
    fault.hidden = !sentence;
  };
  const show = (found: Asked<Account[]>) => list.replaceChildren(asked(found, (all) => (all.length
    ? h('div', { class: 'gg-scroll' }, h('table', { class: 'gg-table', id: 'gg-account-rows' },
      h('thead', {}, h('tr', {}, ...[t('accountName'), t('accountShown'), t('accountGrants'), ''].map((one) => h('th', {}, one)))),
      h('tbody', {}, ...all.map((one) => row(context, one, act)))))
    : h('p', { class: 'gg-none' }, t('accountsNone'))), () => void load()));
  const load = async () => show(await ask(context.office.accounts()));
  const act = async (work: Promise<unknown>, done: string) => {
    try {
      await work;
      say('');
      context.tell(done);
      await load();
      return true;
    } catch (failed) {
      say(refusalText(sentenceOf(failed)));
      return false;
    }
  };
  show(LOADING);
  const dialog = h('dialog', { class: 'gg-wide', id: 'gg-accounts-dialog' },
    h('h2', {}, t('accounts')), list, fault, newAccount(context, act),
    h('div', { class: 'gg-row' }, h('button', { type: 'button', class: 'gg-button', onclick: () => dialog.close() }, t('close'))));
  openDialog(dialog);
  void load();
}

type Act = (work: Promise<unknown>, done: string) => Promise<boolean>;

function row({ office }: Context, account: Account, act: Act): HTMLTableRowElement {
  const small = (text: string, onclick: () => void) => h('button', { type: 'button', class: 'gg-small', onclick }, text);
  const grants = account.grants.map(([role, area]) =>
    h('span', { class: 'gg-badge' }, `${roleText(role)} · ${area || t('grantEverywhere')}`));
  const edit = () => {
    const fields = grantFields(account.grants);
    cell.replaceChildren(fields.part, h('div', { class: 'gg-row' },
      small(t('save'), () => void act(office.setGrants(account.id, fields.read()), t('accountSaved')))));
  };
  const reset = () => {
    const next = secret('new', 'new-password');
    const form = h('form', { onsubmit: (event: Event) => {
      event.preventDefault();
      void act(office.resetPassword(account.id, next.value), t('accountSaved'));
    } }, h('label', {}, t('passwordNew'), next), h('button', { class: 'gg-small' }, t('save')));
    last.replaceChildren(form);
    next.focus();
  };
  const cell = h('td', {}, h('div', { class: 'gg-row' }, ...grants, small(t('edit'), edit)));
  const last = h('td', {}, h('div', { class: 'gg-row' },
    small(t(account.is_active ? 'accountStop' : 'accountStart'), () => void act(office.setActive(account.id, !account.is_active), t('accountSaved'))),
    small(t('accountReset'), reset)));
  return h('tr', { 'data-account': account.name, class: account.is_active ? '' : 'gg-off' },
    h('td', {}, account.name, !account.is_active && h('span', { class: 'gg-badge' }, t('accountInactive'))),
    h('td', {}, account.display_name), cell, last);
}

function grantFields(grants: readonly GrantPair[]): { part: HTMLElement; read: () => GrantPair[] } {
  const part = h('div', { class: 'gg-grants' });
  const line = (role: string, area: string) => {
    const select = h('select', { class: 'gg-select', 'aria-label': t('grantRole') }, ...ROLES.map((one) => h('option', { value: one }, roleText(one))));
    select.value = role;
    const input = h('input', { value: area, placeholder: t('grantArea'), 'aria-label': t('grantArea'), maxlength: 40 });
    const whole = h('div', { class: 'gg-grant' }, select, input,
      h('button', { type: 'button', class: 'gg-small', title: t('grantRemove'), onclick: () => whole.remove() }, '×'));
    return whole;
  };
  const more = h('button', { type: 'button', class: 'gg-small', onclick: () => more.before(line('planner', '')) }, `+ ${t('grantAdd')}`);
  part.append(...grants.map(([role, area]) => line(role, area)), more);
  const read = () => [...part.querySelectorAll('.gg-grant')].map((one): GrantPair =>
    [one.querySelector('select')?.value ?? '', one.querySelector('input')?.value.trim() ?? '']);
  return { part, read };
}

function newAccount({ office }: Context, act: Act): HTMLElement {
  const name = h('input', { name: 'name', required: true, maxlength: 100, autocomplete: 'off' });
  const shown = h('input', { name: 'shown', maxlength: 100, autocomplete: 'off' });
  const password = secret('password', 'new-password');
  const fields = grantFields([['planner', '']]);
  const add = async (event: Event) => {
    event.preventDefault();
    const done = await act(office.addAccount({
      name: name.value.trim(), display_name: shown.value.trim(), password: password.value, grants: fields.read(),
    }), t('accountAdded', { name: name.value.trim() }));
    if (done) for (const one of [name, shown, password]) one.value = '';
  };
  return h('details', { class: 'gg-job-form', id: 'gg-account-new' }, h('summary', {}, t('accountAdd')),
    h('form', { onsubmit: (event: Event) => void add(event) },
      h('label', {}, t('accountName'), name), h('label', {}, t('accountShown'), shown),
      h('label', {}, t('passwordNew'), password), h('div', {}, t('accountGrants'), fields.part),
      h('button', { class: 'gg-button gg-strong' }, t('accountAdd'))));
}
