// Which other plan stands beside the one on show: its choice, and the choice of its version.
import type { Project, Version } from '../api/types';
import { ask, type Asked, type Context, NO_RIVAL, type Rival, shownVersion } from '../context';
import { h } from '../dom';
import { t } from '../i18n';
import { stateText } from '../panels/head';
import { asked } from '../panels/parts';

const PAGE = 50;

export interface PlanChoice {
  id: string;
  name: string;
  project: string;
}

// Every other plan, those of the same project first.
export function otherPlans(projects: readonly Project[], plan: string): PlanChoice[] {
  const all = projects.flatMap(({ name: project, plans }) => plans.map(({ id, name }): PlanChoice => ({ id, name, project })));
  const own = projects.find(({ plans }) => plans.some(({ id }) => id === plan))?.name;
  const others = all.filter(({ id }) => id !== plan);
  return [...others.filter(({ project }) => project === own), ...others.filter(({ project }) => project !== own)];
}

export function planTitle(projects: Asked<Project[]>, plan: string): string {
  const all = projects.state === 'there' ? projects.value.flatMap(({ plans }) => plans) : [];
  return all.find(({ id }) => id === plan)?.name ?? plan;
}

async function choose({ store, office }: Context, plan: string): Promise<void> {
  store.set({ rival: { ...NO_RIVAL, plan } });
  if (!plan) return;
  const versions = await ask(office.versions(plan, PAGE));
  if (store.get().rival.plan === plan) store.set({ rival: { ...store.get().rival, versions } });
}

export function drawRival(context: Context): HTMLElement {
  const { projects, plan } = context.store.get();
  return h('section', { id: 'gg-rival' },
    h('h2', {}, t('rival')),
    asked(projects, (all) => form(context, otherPlans(all, plan)), () => void context.reloadProjects()));
}

function form(context: Context, others: readonly PlanChoice[]): HTMLElement {
  if (!others.length) return h('p', { class: 'gg-none' }, t('rivalNone'));
  const { rival } = context.store.get();
  const isKnown = others.some(({ id }) => id === rival.plan);
  const select = h('select', {
    class: 'gg-select', id: 'gg-rival-plan', 'aria-label': t('rivalPlan'), onchange: () => void choose(context, select.value),
  }, h('option', { value: '' }, t('rivalPick')),
  ...others.map(({ id, name, project }) => h('option', { value: id }, `${project} · ${name}`)));
  select.value = isKnown ? rival.plan : '';
  return h('div', {},
    h('p', { class: 'gg-hint' }, t('rivalHint')),
    select,
    isKnown && asked(rival.versions, (versions) => rest(context, rival, versions), () => void choose(context, rival.plan)));
}

function rest(context: Context, rival: Rival, versions: readonly Version[]): HTMLElement {
  const { store } = context;
  if (!versions.length) return h('p', { class: 'gg-none' }, t('versionsNone'));
  const select = h('select', {
    class: 'gg-select', id: 'gg-rival-version', 'aria-label': t('rivalVersion'),
    onchange: () => store.set({ rival: { ...rival, version: select.value } }),
  }, ...versions.map((one, at) => h('option', { value: at ? one.id : 'head' },
    [t('versionNumber', { n: one.number }), stateText(one.state), at ? '' : t('versionNewest')].filter(Boolean).join(' · '))));
  select.value = rival.version;
  return h('div', {},
    select,
    h('button', {
      type: 'button', class: 'gg-button gg-strong', id: 'gg-rival-start',
      onclick: () => void context.comparePlans(shownVersion(store.get()).id, rival.plan, select.value),
    }, t('rivalStart')));
}
