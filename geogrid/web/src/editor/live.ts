// Households of the cells that an edit touches against their bands, and whether it may be saved.
import type { CellFacts, Level, PreviewCell } from '../api/types';
import type { Context } from '../context';
import { h } from '../dom';
import { t } from '../i18n';
import { shortName } from '../map/labels';
import { bandLimits } from '../panels/legend';
import { bandLook, barOf, missed } from './bands';
import { said } from './refusal';
import type { Session } from './session';

const share = (value: number) => `${(value * 100).toFixed(1)}%`;

export function bar(households: number, before: number | null, { band }: Level): HTMLElement | null {
  if (!band) return null;
  const top = barOf(Math.max(households, before ?? 0), band);
  const scale = households > 0 || (before ?? 0) > 0 ? top.value / Math.max(households, before ?? 0) : 0;
  const zone = h('span', { class: 'gg-zone' });
  zone.style.left = share(top.low);
  zone.style.width = share(top.high - top.low);
  const filled = h('span', { class: 'gg-filled' });
  filled.style.width = share(households * scale);
  const parts = [zone, filled];
  if (before !== null && before !== households) {
    const was = h('span', { class: 'gg-was' });
    was.style.left = share(before * scale);
    parts.push(was);
  }
  return h('div', { class: `gg-gauge gg-look-${bandLook(households, band)}` }, ...parts);
}

export function bandWord(households: number | null, level: Level | null): string {
  if (households === null || !level?.band) return '';
  const by = missed(households, level.band);
  if (by === 0) return t('bandIn');
  return by > 0 ? t('tooMany', { n: by }) : t('tooFew', { n: -by });
}

const isNew = (code: string) => code.startsWith('new ');

function cellName(code: string, now: Session): string {
  if (isNew(code)) return t('newCell');
  if (now.lists.nameOf(code)) return now.lists.nameOf(code);
  const name = now.ground.owners.get(code)?.name;
  return name ? shortName(name) : '';
}

// A kind that no band judges comes without a state.
function row(cell: PreviewCell, level: Level | null, now: Session): HTMLElement {
  const { code, households, band } = cell;
  const before = cell.before ?? null;
  // A cell that has lost everybody is refused unless it goes into another.
  const isGone = before !== null && before > 0 && !households;
  const judged = band && level && !isGone ? level : null;
  const counts = [before, households].filter((one, at) => one !== null && (at > 0 || one !== households)).join(' → ');
  return h('tr', { class: `gg-look-${judged ? bandLook(households, judged.band) : 'none'}` },
    h('td', {}, isNew(code) ? t('newCode', { n: code.slice(4) }) : code),
    h('td', {}, h('span', { class: 'gg-cell-name' }, cellName(code, now)),
      judged && households !== null ? bar(households, before, judged) : null),
    h('td', {}, h('span', {}, counts || '—'), h('small', {}, isGone ? t('goneCell') : bandWord(households, judged))));
}

function table(cells: readonly PreviewCell[], now: Session, { store }: Context): HTMLElement[] {
  const { info } = store.get();
  const levels = [...(info?.levels ?? []), ...(info?.lists ?? [])];
  // The level on show comes first: it is the one that is worked on.
  const keys = [...new Set([now.lists.level || store.get().level, ...levels.map(({ key }) => key).reverse()])];
  return keys.flatMap((key) => {
    const rows = cells.filter((one) => one.level === key);
    const level = levels.find((one) => one.key === key) ?? null;
    if (!rows.length || !level) return [];
    return [h('table', { class: 'gg-live' },
      h('caption', {}, level.name, h('small', {}, level.band ? ` ${bandLimits(level.band)}` : '')),
      h('tbody', {}, ...rows.map((one) => row(one, level, now))))];
  });
}

export function stateBadge(now: Session, { store }: Context): HTMLElement {
  const { info, defects } = store.get();
  const badge = (kind: string, sign: string, text: string, more = '', whole = '') =>
    h('p', { id: 'gg-check', class: `gg-check gg-check-${kind}`, role: 'status', title: whole || null },
      h('span', { 'aria-hidden': 'true' }, sign), h('span', {}, text, more && h('small', {}, more)));
  if (now.isDeciding) return badge('open', '!', t('deciding'));
  if (now.isSaving) return badge('asking', '…', t('saving'));
  if (now.check === 'refused' && now.live?.refused) {
    const { first } = said(now.live.refused);
    return badge('refused', '✕', t('refused', { why: first }), '', now.live.refused);
  }
  if (now.check === 'asking') return badge('asking', '…', t('checkAsking'));
  if (now.check === 'good') return badge('good', '✓', t('checkGood'));
  const open = defects.state === 'there' ? defects.value.features.length : 0;
  return badge(info?.is_proven && !open ? 'good' : 'open', info?.is_proven ? '✓' : '!',
    t(info?.is_proven ? 'proven' : 'unproven'), open ? t('openPoints', { n: open }) : '');
}

export function liveTable(now: Session, context: Context, facts: CellFacts | null): HTMLElement {
  const { live: found } = now;
  // Lists stand in a table of their own.
  const own: PreviewCell[] = facts && !now.lists.isOn ? [{ level: facts.level, code: facts.code, households: facts.households, band: facts.band }] : [];
  const tables = table(found?.cells.length ? found.cells : own, now, context);
  return h('div', { id: 'gg-live' },
    now.isCounting && !found?.cells.length ? h('p', { class: 'gg-wait' }, t('liveWorking')) : null,
    ...tables,
    !tables.length && !now.isCounting ? h('p', { class: 'gg-wait' }, t('liveNone')) : null);
}
