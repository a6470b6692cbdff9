// What a comparison of two versions says of one level.
import type { Comparison, Features, LevelDiff, Move } from '../api/types';

export const KINDS = ['added', 'removed', 'redrawn', 'renamed'] as const;
export type Kind = (typeof KINDS)[number];
export const KIND_COLOURS: Record<Kind, string> = {
  added: '#1e7b4f', removed: '#a4262c', redrawn: '#e08a1e', renamed: '#4f6fb8',
};

export interface ChangedCell {
  code: string;
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
  before: Comparison['cells'];
}

export function changedCells({ found, before }: Both, level: string): ChangedCell[] {
  const names = new Map([...before.features, ...found.cells.features].map(({ properties: { code, name } }) => [code, name]));
  const diff = diffOf(found, level);
  const rows = KINDS.flatMap((kind) => diff[kind].map((code): ChangedCell => ({ code, kind, name: names.get(code) ?? '' })));
  const seen = new Set<string>();
  // A cell that was both redrawn and renamed is listed once, by what happened to its ground.
  return rows.filter(({ code, kind }) => {
    const isNew = kind === 'added' || kind === 'removed' || !seen.has(code);
    seen.add(code);
    return isNew;
  });
}

// The shapes of changed cells of one level in one version, each with the colour of its change.
export function marksOf(cells: Comparison['cells'], rows: readonly ChangedCell[], level: string): Features<{ code: string; colour: string }> {
  const kinds = new Map(rows.map(({ code, kind }) => [code, kind]));
  return {
    type: 'FeatureCollection',
    features: cells.features.flatMap(({ geometry, properties: { code, level: own } }) => {
      const kind = own === level ? kinds.get(code) : undefined;
      return kind ? [{ type: 'Feature' as const, geometry, properties: { code, colour: KIND_COLOURS[kind] } }] : [];
    }),
  };
}

export function movesOf(found: Comparison, level: string): Move[] {
  return found.moves.filter((move) => move.level === level);
}

export function isSame(found: Comparison): boolean {
  return Object.values(found.levels).every(({ changed }) => changed === 0);
}
