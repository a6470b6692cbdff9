// Gestures as commands of the service.
import type { Command, Feature, AtomFacts, LonLat, Locks } from '../api/types';
import { areasOf, isInside, middleOf } from '../geo';

export function paint(level: string, target: string, atoms: readonly string[]): Command {
  return { command: 'paint', level, target, atoms: [...atoms] };
}

export function split(level: string, cell: string, line: readonly LonLat[]): Command {
  return { command: 'split', level, cell, line: [...line] };
}

export function merge(level: string, cells: readonly string[], into: string): Command {
  return { command: 'merge', level, cells: [...cells], into };
}

// Atoms whose middle lies inside a loop.
export function atomsInside(loop: readonly LonLat[], atoms: readonly Feature<AtomFacts>[]): string[] {
  if (loop.length < 3) return [];
  const ring = [...loop, loop[0] as LonLat];
  return atoms.flatMap(({ geometry, properties }) => {
    const middle = middleOf(areasOf(geometry), 1);
    return middle && isInside(middle.at[0], middle.at[1], [ring]) ? [properties.atom_id] : [];
  });
}

export function toggledCell(locks: Locks, level: string, code: string): Locks {
  const others = locks.cells.filter(([, one]) => one !== code);
  const wasLocked = others.length < locks.cells.length;
  return { ...locks, cells: wasLocked ? others : [...locks.cells, [level, code]] };
}

export function toggledLevel(locks: Locks, level: string): Locks {
  const others = locks.levels.filter((one) => one !== level);
  const wasLocked = others.length < locks.levels.length;
  return { ...locks, levels: wasLocked ? others : [...locks.levels, level] };
}
