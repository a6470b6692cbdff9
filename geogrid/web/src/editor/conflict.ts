// Somebody else was faster: who changed which cells meanwhile, where they lie, and what now.
import type { Problem } from '../api/client';
import { withQuery } from '../api/client';
import type { Box, Version } from '../api/types';
import { ask, type Context } from '../context';
import { h } from '../dom';
import { boxOf } from '../geo';
import { t } from '../i18n';
import { shortName } from '../map/labels';
import type { Owners } from './owners';
import { said } from './refusal';

const MOST_NAMED = 12;

// Versions since the one that was edited, the latest first.
export function since(versions: readonly Version[], head: string): Version[] {
  const at = versions.findIndex(({ id }) => id === head);
  return at < 0 ? [...versions.slice(0, 1)] : versions.slice(0, at);
}

export function authorsOf(versions: readonly Version[]): string {
  return [...new Set(versions.map(({ author }) => author ?? '').filter(Boolean))].join('、');
}

// Loads the new version behind a box that leaves the map free to look at; true to edit again.
export async function askConflict(context: Context, owners: Owners, problem: Problem, canRepeat: boolean): Promise<boolean> {
  const { plan, info } = context.store.get();
  const before = info?.head ?? '';
  const codes = [...new Set(Object.values(problem.changed_cells ?? {}).flat())];
  const path = withQuery(`/plans/${encodeURIComponent(plan)}/versions`, { limit: 20 });
  const found = await ask(context.api.get<Version[]>(path));
  await context.refresh(problem.head);
  context.view()?.pick(codes);
  const others = found.state === 'there' ? since(found.value, before) : [];
  return new Promise((resolve) => {
    const end = (isAgain: boolean) => () => {
      dialog.remove();
      context.view()?.pick([context.store.get().cell].filter(Boolean));
      resolve(isAgain);
    };
    const dialog = h('dialog', { id: 'gg-conflict', role: 'alertdialog', 'aria-label': t('conflict') },
      h('h2', {}, t('conflict')),
      h('p', {}, whoText(others)),
      problem.conflict ? h('p', { class: 'gg-fault' }, said(problem.conflict).first) : null,
      codes.length ? h('div', { class: 'gg-codes' }, ...codes.slice(0, MOST_NAMED).map((code) => cellButton(context, owners, code)),
        codes.length > MOST_NAMED && h('span', {}, t('andMore', { n: codes.length - MOST_NAMED }))) : h('p', {}, t('conflictNone')),
      h('div', { class: 'gg-row' },
        canRepeat && h('button', { type: 'button', class: 'gg-button gg-strong', onclick: end(true) }, t('conflictRetry')),
        h('button', { type: 'button', class: 'gg-button', onclick: end(false) }, t(canRepeat ? 'conflictDrop' : 'conflictLoad'))));
    document.body.append(dialog);
    dialog.show();
    void zoomTo(context, codes.slice(0, MOST_NAMED));
  });
}

function whoText(others: readonly Version[]): string {
  const last = others[0];
  const time = last ? new Date(last.time) : null;
  const when = time && !Number.isNaN(time.getTime()) ? time.toLocaleTimeString('zh-CN', { hour: '2-digit', minute: '2-digit', hour12: false }) : '';
  return t('conflictWho', { who: authorsOf(others) || t('somebody'), when });
}

function cellButton(context: Context, owners: Owners, code: string): HTMLElement {
  const name = owners.get(code)?.name;
  return h('button', { type: 'button', class: 'gg-small', title: t('zoomTo'), onclick: () => void zoomTo(context, [code]) },
    name ? `${code} ${shortName(name)}` : code);
}

async function zoomTo(context: Context, codes: readonly string[]): Promise<void> {
  const { plan, info } = context.store.get();
  const found = await Promise.all(codes.map((code) => ask(context.api.cell(plan, info?.head ?? 'head', code))));
  const boxes = found.flatMap((one): Box[] => {
    const box = one.state === 'there' ? boxOf(one.value.geometry) : null;
    return box ? [box] : [];
  });
  if (!boxes.length) return;
  const side = (at: 0 | 1 | 2 | 3, pick: (...all: number[]) => number) => pick(...boxes.map((box) => box[at]));
  context.view()?.goTo([side(0, Math.min), side(1, Math.min), side(2, Math.max), side(3, Math.max)]);
}
