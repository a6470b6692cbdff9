// Gestures as commands of the service.
import type { Command, Feature, AtomFacts, LonLat, Locks } from '../api/types';
import { areasOf, isInside, middleOf } from '../geo';

// What is taken: atoms, or above the finest level whole cells of the next finer one.
export interface Taken {
  atoms?: readonly string[];
  cells?: readonly string[];
}

const named = ({ atoms = [], cells = [] }: Taken): { atoms?: string[]; cells?: string[] } => ({
  ...(atoms.length || !cells.length ? { atoms: [...atoms] } : {}),
  ...(cells.length ? { cells: [...cells] } : {}),
});

export function paint(level: string, target: string, taken: Taken): Command {
  return { command: 'paint', level, target, ...named(taken) };
}

export function create(level: string, taken: Taken, name: string, kind: string): Command {
  return { command: 'create', level, ...named(taken), ...(name ? { name } : {}), ...(kind ? { kind } : {}) };
}

export function paintHomes(level: string, target: string, households: readonly string[]): Command {
  return { command: 'paint', level, target, households: [...households] };
}

export function createOf(level: string, households: readonly string[], name: string, kind: string): Command {
  return { command: 'create', level, households: [...households], ...(name ? { name } : {}), ...(kind ? { kind } : {}) };
}

export function split(level: string, cell: string, line: readonly LonLat[]): Command {
  return { command: 'split', level, cell, line: [...line] };
}

export function merge(level: string, cells: readonly string[], into: string): Command {
  return { command: 'merge', level, cells: [...cells], into };
}

export function snap(run: readonly LonLat[], within: number): Command {
  return { command: 'snap_to_streets', run: [...run], within_m: within };
}

export function rename(level: string, cell: string, name: string): Command {
  return { command: 'rename', level, cell, name };
}

export function assignKind(level: string, cell: string, kind: string): Command {
  return { command: 'assign_kind', level, cell, kind };
}

// These can neither tear a cell apart nor heal it.
const FACTS = new Set(['rename', 'assign_kind']);

export function allowingPieces(command: Command, isAllowed: boolean): Command {
  return isAllowed && !FACTS.has(command.command) ? { ...command, allow_disconnected: true } : command;
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
