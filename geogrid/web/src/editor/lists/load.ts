// Asks for the lists of a cell and who is in them, page by page.
import { type Api, withQuery } from '../../api/client';
import type { Box } from '../../api/types';
import { type ListFacts, type Member, Roll } from './roll';

export const PAGE = 5000;
// More than this nobody divides at once, and no browser draws well.
export const MOST = 20_000;

export interface Wanted {
  plan: string;
  version: string;
  level: string;
  // All who live in this cell; without one, those whose points lie in the box.
  cell: string;
  box: Box;
}

interface Page {
  numberMatched: number;
}

async function paged<T, P extends Page>(api: Api, path: string, query: Record<string, string>, rowsOf: (page: P) => T[], most: number) {
  const rows: T[] = [];
  for (;;) {
    const page = await api.get<P>(withQuery(path, { ...query, limit: Math.min(PAGE, most), offset: rows.length }));
    const more = rowsOf(page);
    rows.push(...more);
    if (!more.length || rows.length >= page.numberMatched || rows.length >= most) {
      return { rows, matched: page.numberMatched };
    }
  }
}

export async function loadRoll(api: Api, { plan, version, level, cell, box }: Wanted): Promise<Roll> {
  const path = `/plans/${encodeURIComponent(plan)}/versions/${encodeURIComponent(version)}`;
  const within: Record<string, string> = cell ? { level, cell } : { level, bbox: box.map((value) => value.toFixed(6)).join(',') };
  const [members, lists] = await Promise.all([
    paged(api, `${path}/members`, within, (page: Page & { features: Member[] }) => page.features, cell ? MOST : PAGE),
    cell
      ? paged(api, `${path}/lists`, { level, cell }, (page: Page & { lists: ListFacts[] }) => page.lists, MOST)
      : { rows: [], matched: 0 },
  ]);
  // Some of a view would look as if nobody lived beside them.
  const isWhole = members.rows.length >= members.matched;
  return new Roll(lists.rows, cell || isWhole ? members.rows : [], members.matched);
}
