// The menu of whoever is signed in: own password, own keys, and for admins the house.
import { type Asked, ask, type Context, LOADING, sentenceOf } from '../context';
import { h } from '../dom';
import { t } from '../i18n';
import type { Key } from '../api/office.types';
import { openDialog } from '../panels/dialogs';
import { asked } from '../panels/parts';
import { refusalText } from '../review/sentences';
import { may } from '../review/steps';
import { timeText } from '../review/time';
import { openAccounts } from './accounts';
import { openAudit } from './audit';

export function accountMenu(context: Context): HTMLElement {
  const { me } = context.store.get();
  const leave = async () => {
    await context.api.logout();
    window.location.reload();
  };
  const entry = (id: string, text: string, act: () => void) => h('li', {}, h('button', {
    type: 'button', id, onclick: () => {
      menu.open = false;
      act();
    },
  }, text));
  const menu = h('details', { class: 'gg-menu', id: 'gg-account' },
    h('summary', { class: 'gg-small', title: t('account') }, me?.user?.name ?? t('account')),
    h('ul', {},
      me?.user?.has_password !== false && entry('gg-my-password', t('myPassword'), () => askPassword(context)),
      entry('gg-my-keys', t('myKeys'), () => openKeys(context)),
      may(me, 'keepAccounts') && entry('gg-accounts', t('accounts'), () => openAccounts(context)),
      may(me, 'readAudit') && entry('gg-audit', t('audit'), () => openAudit(context)),
      entry('gg-logout', t('logout'), () => void leave())));
  return menu;
}

export function secret(name: string, autocomplete: string): HTMLInputElement {
  return h('input', { name, type: 'password', autocomplete, required: true, minlength: autocomplete === 'new-password' ? 10 : 1 });
}

export function askPassword(context: Context): void {
  const old = secret('old', 'current-password');
  const next = secret('new', 'new-password');
  const again = secret('again', 'new-password');
  const fault = h('p', { class: 'gg-fault', role: 'alert', hidden: true });
  const say = (sentence: string) => {
    fault.textContent = sentence;
    fault.hidden = false;
  };
  const act = async (event: Event) => {
    event.preventDefault();
    if (next.value !== again.value) return say(t('passwordDiffers'));
    try {
      await context.office.setPassword(old.value, next.value);
      // The session is a fresh one, and so is the proof that writes must carry.
      await context.api.me();
      dialog.close();
      return context.tell(t('passwordChanged'));
    } catch (failed) {
      return say(refusalText(sentenceOf(failed)));
    }
  };
  const dialog = h('dialog', { id: 'gg-password-dialog' },
    h('h2', {}, t('myPassword')),
    h('form', { onsubmit: (event: Event) => void act(event) },
      h('label', {}, t('passwordOld'), old), h('label', {}, t('passwordNew'), next), h('label', {}, t('passwordAgain'), again),
      fault,
      h('div', { class: 'gg-row' }, h('button', { class: 'gg-button gg-strong' }, t('save')),
        h('button', { type: 'button', class: 'gg-button', onclick: () => dialog.close() }, t('cancel')))));
  openDialog(dialog);
}

function openKeys(context: Context): void {
  const { office } = context;
  const list = h('div', {});
  const told = h('p', { class: 'gg-told', hidden: true });
  const label = h('input', { name: 'label', required: true, maxlength: 100, autocomplete: 'off' });
  const fault = h('p', { class: 'gg-fault', role: 'alert', hidden: true });
  const say = (sentence: string) => {
    fault.textContent = sentence;
    fault.hidden = !sentence;
  };
  const show = (keys: Asked<Key[]>) => list.replaceChildren(asked(keys, (all) => (all.length
    ? h('ul', { class: 'gg-rows', id: 'gg-keys' }, ...all.map((key) => keyRow(key, () => void drop(key))))
    : h('p', { class: 'gg-none' }, t('keysNone'))), () => void load()));
  const load = async () => {
    show(LOADING);
    show(await ask(office.keys()));
  };
  const drop = async (key: Key) => {
    const done = await ask(office.revokeKey(key.id));
    say(done.state === 'failed' ? refusalText(done.why) : '');
    await load();
  };
  const add = async (event: Event) => {
    event.preventDefault();
    const made = await ask(office.addKey(label.value));
    if (made.state === 'failed') return say(refusalText(made.why));
    if (made.state === 'there') {
      told.replaceChildren(t('keyTold'), h('code', {}, made.value.key));
      told.hidden = false;
      label.value = '';
      say('');
    }
    return load();
  };
  const dialog = h('dialog', { id: 'gg-keys-dialog' },
    h('h2', {}, t('myKeys')), h('p', { class: 'gg-hint' }, t('keysHint')), list, told,
    h('form', { onsubmit: (event: Event) => void add(event) }, h('label', {}, t('keyLabel'), label), fault,
      h('div', { class: 'gg-row' }, h('button', { class: 'gg-button gg-strong' }, t('keyAdd')),
        h('button', { type: 'button', class: 'gg-button', onclick: () => dialog.close() }, t('close')))));
  openDialog(dialog);
  void load();
}

function keyRow(key: Key, drop: () => void): HTMLLIElement {
  const until = key.expires_at ? t('keyUntil', { day: timeText(key.expires_at).slice(0, 10) }) : '';
  return h('li', {},
    h('span', { class: 'gg-main' }, key.label, h('small', { class: 'gg-by' }, ` ${[timeText(key.created_at), until].filter(Boolean).join(' · ')}`)),
    key.revoked_at
      ? h('span', { class: 'gg-badge' }, t('keyRevoked'))
      : h('button', { type: 'button', class: 'gg-small', onclick: drop }, t('keyRevoke')));
}
