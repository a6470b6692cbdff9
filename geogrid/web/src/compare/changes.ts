// What a comparison of two versions, or of two plans, says of one level.
import type { Comparison, Features, LevelDiff, Move, NamedCells } from '../api/types';

export const KINDS = ['added', 'removed', 'redrawn', 'renumbered', 'renamed'] as const;
export type Kind = (typeof KINDS)[number];
export const KIND_COLOURS: Record<Kind, string> = {
  added: '#1e7b4f', removed: '#a4262c', redrawn: '#e08a1e', renumbered: '#7a8793', renamed: '#4f6fb8',
};

export interface ChangedCell {
  // The code before, and the code after; "" where there is no such cell.
  before: string;
  after: string;
  name: string;
  kind: Kind;
}

const EMPTY: LevelDiff = { changed: 0, added: [], removed: [], redrawn: [], renamed: [], moved_households_text: '0' };

export function diffOf(found: Comparison, level: string): LevelDiff {
  return found.levels[level] ?? EMPTY;
}

// Cells that are gone have their names and shapes in the version before alone.
export interface Both {
  found: Comparison;
  before: NamedCells;
  // How it was counted.
  notes: readonly string[];
}

// The key of a level on one side: another plan may call it otherwise.
export function levelKey(found: Comparison, level: string, side: 0 | 1): string {
  return side ? (diffOf(found, level).other?.key ?? level) : level;
}

export function isCompared(found: Comparison, level: string): boolean {
  return level in found.levels || !Object.values(found.levels).some(({ other }) => other);
}

function namesOf(cells: NamedCells, level: string): Map<string, string> {
  return new Map(cells.features.filter(({ properties }) => properties.level === level)
    .map(({ properties: { code, name } }) => [code, name]));
}

export function changedCells({ found, before }: Both, level: string): ChangedCell[] {
  const names = [namesOf(before, levelKey(found, level, 0)), namesOf(found.cells, levelKey(found, level, 1))] as const;
  const diff = diffOf(found, level);
  const rows = KINDS.flatMap((kind) => (diff[kind] ?? []).map((code): ChangedCell => {
    if (kind === 'removed') return { before: code, after: '', name: names[0].get(code) ?? '', kind };
    const old = kind === 'added' ? '' : (diff.was?.[code] ?? code);
    return { before: old, after: code, name: names[1].get(code) ?? '', kind };
  }));
  const seen = new Set<string>();
  // A cell that was both redrawn and renamed is listed once, by what happened to its ground.
  return rows.filter(({ after, kind }) => {
    const isNew = kind === 'added' || kind === 'removed' || !seen.has(after);
    if (kind !== 'added' && kind !== 'removed') seen.add(after);
    return isNew;
  });
}

// The shapes of changed cells of one level on one side, each with the colour of its change.
export function marksOf({ found, before }: Both, rows: readonly ChangedCell[], level: string, side: 0 | 1): Features<{ code: string; colour: string }> {
  const kinds = new Map(rows.map((row) => [side ? row.after : row.before, row.kind]));
  const key = levelKey(found, level, side);
  return {
    type: 'FeatureCollection',
    features: (side ? found.cells : before).features.flatMap(({ geometry, properties: { code, level: own } }) => {
      const kind = own === key ? kinds.get(code) : undefined;
      return kind ? [{ type: 'Feature' as const, geometry, properties: { code, colour: KIND_COLOURS[kind] } }] : [];
    }),
  };
}

export function movesOf(found: Comparison, level: string): Move[] {
  return found.moves.filter((move) => move.level === level);
}

// A code with the name of its cell, as far as it is known; "" for ground that no cell holds.
export function titlesOf({ found, before }: Both, level: string): (code: string, side: 0 | 1) => string {
  const names = [namesOf(before, levelKey(found, level, 0)), namesOf(found.cells, levelKey(found, level, 1))] as const;
  return (code, side) => [names[side].get(code), code].filter(Boolean).join(' ');
}

// What to point at on each side for a cell of one of them: itself, and what it goes on as there.
export function partnersOf(found: Comparison, level: string, code: string, side: 0 | 1): [string[], string[]] {
  const { added, removed, was = {} } = diffOf(found, level);
  if (side) {
    const before = added.includes(code) ? [] : [was[code] ?? code];
    return [before, [code]];
  }
  if (removed.includes(code)) return [[code], []];
  const other = Object.entries(was).find(([, old]) => old === code)?.[0] ?? code;
  // The same code may stand for other ground in another plan.
  const isOther = other === code && (added.includes(code) || (was[code] ?? code) !== code);
  return [[code], isOther ? [] : [other]];
}

export function isSame(found: Comparison): boolean {
  return Object.values(found.levels).every(({ changed }) => changed === 0);
}
