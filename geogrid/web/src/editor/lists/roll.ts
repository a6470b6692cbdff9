// Households of a cell and the lists that they are in, as the service told them.
import type { BandState, Feature, LonLat } from '../../api/types';
import { isInside } from '../../geo';
import type { Project } from '../arcs';

export interface ListFacts {
  code: string;
  name: string;
  kind: string;
  parent: string;
  cell: string;
  households: number;
  rows: number;
  band: BandState | null;
}

export interface MemberFacts {
  household_id: string;
  households: number;
  list: string;
  cell: string;
}

// Without a point where it is not known where they live.
export type Member = Feature<MemberFacts>;

export interface Sieve {
  of: 'all' | 'list' | 'chosen' | 'here';
  words: string;
  // Only the members of a list, where one is named.
  list: string;
  // Only these, where some are named.
  ids: ReadonlySet<string> | null;
}

export const ALL: Sieve = { of: 'all', words: '', list: '', ids: null };

const SAME_PLACE_PX = 1;
// Bright enough for a dot on a pale map; neighbours in the list of lists differ.
export const DOT_COLOURS = ['#0a7f6f', '#d9480f', '#5f3dc4', '#5c940d', '#c2255c', '#1971c2', '#8a6d00', '#7a4a2b'];

export function placeOf({ geometry }: Member): LonLat | null {
  return geometry?.type === 'Point' ? geometry.coordinates as LonLat : null;
}

export class Roll {
  private readonly listOf: ReadonlyMap<string, ListFacts>;
  private readonly memberOf: ReadonlyMap<string, Member>;
  private readonly orderOf: ReadonlyMap<string, number>;

  constructor(readonly lists: readonly ListFacts[], readonly members: readonly Member[], private readonly matched = members.length) {
    this.listOf = new Map(lists.map((one) => [one.code, one]));
    this.memberOf = new Map(members.map((one) => [one.properties.household_id, one]));
    const codes = new Set([...lists.map(({ code }) => code), ...members.map(({ properties }) => properties.list)]);
    this.orderOf = new Map([...codes].sort().map((code, at) => [code, at]));
  }

  // How many there are beyond those that are here.
  get missing(): number {
    return this.matched - this.members.length;
  }

  get(code: string): ListFacts | null {
    return this.listOf.get(code) ?? null;
  }

  member(id: string): Member | null {
    return this.memberOf.get(id) ?? null;
  }

  get placed(): Member[] {
    return this.members.filter((one) => placeOf(one) !== null);
  }

  colourOf(code: string): string {
    return DOT_COLOURS[(this.orderOf.get(code) ?? 0) % DOT_COLOURS.length] ?? '';
  }

  // Households, not rows: a row may stand for several.
  count(ids: Iterable<string>): number {
    return [...ids].reduce((sum, id) => sum + (this.member(id)?.properties.households ?? 0), 0);
  }

  inLoop(loop: readonly LonLat[]): string[] {
    if (loop.length < 3) return [];
    const ring = [...loop, loop[0] as LonLat];
    return this.members.flatMap((one) => {
      const place = placeOf(one);
      return place && isInside(place[0], place[1], [ring]) ? [one.properties.household_id] : [];
    });
  }

  // Who lives at the point nearest to a place of the screen: a building may be one point.
  at(point: { x: number; y: number }, project: Project, radius: number): string[] {
    const near = this.members.flatMap((one) => {
      const place = placeOf(one);
      if (!place) return [];
      const { x, y } = project(place);
      const distance = Math.hypot(x - point.x, y - point.y);
      return distance <= radius ? [{ id: one.properties.household_id, x, y, distance }] : [];
    }).sort((a, b) => a.distance - b.distance);
    const [first] = near;
    if (!first) return [];
    return near.filter(({ x, y }) => Math.hypot(x - first.x, y - first.y) <= SAME_PLACE_PX).map(({ id }) => id);
  }

  sifted({ words, list, ids }: Sieve): Member[] {
    const wanted = words.trim().toLowerCase();
    return this.members.filter(({ properties: of }) =>
      (!list || of.list === list) && (!ids || ids.has(of.household_id)) &&
      (!wanted || [of.household_id, of.list, this.get(of.list)?.name ?? ''].some((text) => text.toLowerCase().includes(wanted))));
  }
}

export function pageOf<T>(rows: readonly T[], page: number, size: number): { rows: T[]; page: number; pages: number } {
  const pages = Math.max(1, Math.ceil(rows.length / size));
  const here = Math.min(Math.max(page, 0), pages - 1);
  return { rows: rows.slice(here * size, (here + 1) * size), page: here, pages };
}

// All of them are taken out where all are in, else those that are not go in.
export function toggled(chosen: ReadonlySet<string>, ids: readonly string[]): Set<string> {
  const next = new Set(chosen);
  const areAllIn = ids.every((id) => chosen.has(id));
  for (const id of ids) {
    if (areAllIn) next.delete(id);
    else next.add(id);
  }
  return next;
}
