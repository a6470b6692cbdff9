// What is known of the cell or the station that was picked.
import type { CellFacts, Plan, StationFacts, Where } from '../api/types';
import type { Card, Context } from '../context';
import { byId, h } from '../dom';
import { areaText, bandText, percent, t } from '../i18n';
import { bandLimits } from './legend';

export function cellCard(cell: CellFacts, plan: Plan, where: Where | null): Card {
  const level = plan.levels.find(({ key }) => key === cell.level);
  const above = where?.chain.slice(0, where.chain.findIndex(({ code }) => code === cell.code)) ?? [];
  const parent = above.map(({ name }) => name).join(' › ') || cell.parent;
  const rows = (): [string, string][] => [
    [t('level'), level?.name ?? cell.level],
    [t('code'), cell.code],
    [t('kind'), cell.kind],
    [t('households'), cell.households_text + (plan.is_estimated ? ` (${t('estimated')})` : '')],
    [t('band'), level?.band ? bandLimits(level.band) : ''],
    [t('bandState'), level?.band ? bandText(cell.band) : ''],
    [t('area'), areaText(cell.area_m2)],
    [t('parent'), parent],
    ...plan.limits.map((n): [string, string] => {
      const share = cell[`served_${n}`];
      return [t('servedIn', { n }), typeof share === 'number' ? percent(share) : ''];
    }),
  ];
  return { title: cell.name, rows };
}

export function stationCard(station: StationFacts): Card {
  const rows = (): [string, string][] => [
    [t('code'), String(station.station ?? station.station_id ?? '')],
    ['', station.stand_in ? t('standIn', { name: station.stand_in }) : ''],
  ];
  return { title: station.name || t('station'), rows };
}

export function drawCard({ store }: Context): void {
  const { card } = store.get();
  const part = byId('gg-card');
  part.hidden = !card;
  if (card) {
    part.replaceChildren(
      h('h3', {}, card.title),
      h('dl', {}, ...card.rows().filter(([, text]) => text).flatMap(([term, text]) => [h('dt', {}, term), h('dd', {}, text)])),
      h('button', { type: 'button', class: 'gg-close', title: t('close'), onclick: () => store.set({ card: null, cell: '' }) }, '×'));
  }
  // What stands at the bottom of a phone's map moves above the card.
  document.body.style.setProperty('--card', card ? `${part.offsetHeight + 8}px` : '0');
}
