// The versions of the plan: who made which when, how far each has come, and what can be done with it.
import type { Version } from '../api/types';
import { ask, type Context, LOADING } from '../context';
import { h } from '../dom';
import { t } from '../i18n';
import { stateText } from '../panels/head';
import { asked } from '../panels/parts';
import { askStep } from './act';
import { joined, type Paged, toggledPair } from './pages';
import { messageText } from './sentences';
import { nextSteps, rolesOf } from './steps';
import { timeText } from './time';

const PAGE = 30;

export async function loadVersions({ office, store }: Context): Promise<void> {
  const { plan } = store.get();
  const found = await ask(office.versions(plan, PAGE));
  if (store.get().plan !== plan) return;
  if (found.state !== 'there') return store.set({ versions: found });
  return store.set({ versions: { state: 'there', value: joined<Version>([], found.value, PAGE, ({ id }) => id) } });
}

async function loadOlder(context: Context, now: Paged<Version>): Promise<void> {
  const { office, store } = context;
  const { plan } = store.get();
  const found = await ask(office.versions(plan, PAGE, now.rows.at(-1)?.id));
  if (found.state === 'failed') return context.tell(found.why, true);
  if (found.state !== 'there' || store.get().plan !== plan) return undefined;
  return store.set({ versions: { state: 'there', value: joined(now.rows, found.value, PAGE, ({ id }) => id) } });
}

export function versionName(version: Version): string {
  return t('versionNumber', { n: version.number });
}

export function drawVersions(context: Context): HTMLElement[] {
  const { store } = context;
  const { versions, chosen } = store.get();
  const again = () => store.set({ versions: LOADING });
  const compare = h('button', {
    type: 'button', class: 'gg-button gg-strong', id: 'gg-compare-chosen', disabled: chosen.length !== 2,
    onclick: () => startChosen(context),
  }, t('compareChosen'));
  return [h('section', { id: 'gg-versions' },
    h('h2', {}, t('versions')),
    asked(versions, (page) => (page.rows.length
      ? h('div', {},
        h('p', { class: 'gg-hint' }, t('versionPickHint')),
        h('div', { class: 'gg-row gg-sticky' }, compare),
        h('ol', { class: 'gg-versions' }, ...page.rows.map((version) => row(context, version))),
        page.hasMore && h('button', {
          type: 'button', class: 'gg-button', id: 'gg-versions-more', onclick: () => void loadOlder(context, page),
        }, t('versionsMore')))
      : h('p', { class: 'gg-none' }, t('versionsNone'))), again))];
}

function startChosen(context: Context): void {
  const { chosen, versions } = context.store.get();
  const rows = versions.state === 'there' ? versions.value.rows : [];
  const [after, before] = rows.filter(({ id }) => chosen.includes(id));
  if (before && after) void context.compare(before.id, after.id);
}

function row(context: Context, version: Version): HTMLLIElement {
  const { store } = context;
  const { info, version: shown, chosen, me } = store.get();
  const isHead = version.id === info?.head;
  const isShown = isHead ? shown === 'head' || shown === version.id : shown === version.id;
  const small = (text: string, hint: string, act: () => void) =>
    h('button', { type: 'button', class: 'gg-small', title: hint, onclick: act }, text);
  const steps = nextSteps(version.state, version.is_proven, rolesOf(me));
  const pick = h('input', {
    type: 'checkbox', checked: chosen.includes(version.id), 'aria-label': `${t('versionPick')} ${versionName(version)}`,
    onchange: () => store.set({ chosen: toggledPair(store.get().chosen, version.id) }),
  });
  return h('li', { class: isShown ? 'gg-now' : '', 'data-version': version.id },
    h('div', { class: 'gg-row' }, pick, h('b', {}, versionName(version)),
      h('span', { class: `gg-badge ${version.state === 'in_force' ? 'good' : ''}` }, stateText(version.state)),
      h('span', { class: `gg-badge ${version.is_proven ? 'good' : 'bad'}` }, t(version.is_proven ? 'provenShort' : 'unprovenShort')),
      isHead && h('span', { class: 'gg-badge' }, t('versionNewest'))),
    h('div', { class: 'gg-what' }, messageText(version.message)),
    h('div', { class: 'gg-by' }, [version.author, timeText(version.time)].filter(Boolean).join(' · ')),
    h('div', { class: 'gg-row' },
      isShown ? h('span', { class: 'gg-by' }, t('versionShown')) : small(t('versionLook'), '', () => void context.showVersion(version.id)),
      version.parent !== null && small(t('versionChanges'), t('versionChangesHint'), () => void context.compare(version.parent ?? '', version.id)),
      ...steps.map((step) => h('button', {
        type: 'button', class: 'gg-small gg-step', 'data-to': step.to, onclick: () => askStep(context, version, step),
      }, t(step.word)))));
}
