// The cells that changed, and who moves from which cell to which.
import type { Comparison, Level, Move } from '../api/types';
import { h } from '../dom';
import { t, type Word } from '../i18n';
import { refusalText } from '../review/sentences';
import { type Both, type ChangedCell, changedCells, diffOf, isSame, type Kind, KIND_COLOURS, KINDS, movesOf, titlesOf } from './changes';

// As many as the service tells of one level.
const MOST_MOVES = 500;

export interface Doors {
  level: Level | null;
  // Two plans, and not two versions of one.
  ofPlans: boolean;
  // Points at a cell of each side; "" where there is none.
  go(codes: readonly [string, string], both: Both): void;
}

// The level on show where something changed on it, else the finest one where it did.
export function bestLevel(found: Comparison, level: string, keys: readonly string[]): string {
  if (diffOf(found, level).changed > 0) return level;
  return [...keys].reverse().find((key) => diffOf(found, key).changed > 0) ?? level;
}

export function kindWord(kind: Kind, ofPlans: boolean): Word {
  const isOfGround = kind === 'added' || kind === 'removed' || kind === 'redrawn';
  return `change_${kind}${ofPlans && isOfGround ? 'Plan' : ''}` as Word;
}

export function listsOf(both: Both, doors: Doors): HTMLElement {
  if (isSame(both.found)) return h('div', {}, h('p', { class: 'gg-none' }, t(doors.ofPlans ? 'compareNonePlans' : 'compareNone')), ...notes(both));
  return h('div', {}, ...cellsPart(both, doors), ...movesPart(both, doors), ...notes(both));
}

function notes({ notes: told }: Both): HTMLElement[] {
  return told.map((note) => h('p', { class: 'gg-hint gg-compare-note' }, refusalText(note)));
}

function cellsPart(both: Both, doors: Doors): HTMLElement[] {
  const key = doors.level?.key ?? '';
  const cells = changedCells(both, key);
  const counts = KINDS.map((kind) => ({ kind, n: cells.filter((one) => one.kind === kind).length })).filter(({ n }) => n);
  return [
    h('h2', {}, t(doors.ofPlans ? 'compareCellsPlans' : 'compareCells'), h('small', {}, ` ${doors.level?.name ?? ''} · ${t('compareCount', { n: cells.length })}`)),
    h('div', { class: 'gg-kinds' }, ...counts.map(({ kind, n }) => {
      const swatch = h('span', { class: 'gg-swatch gg-box' });
      swatch.style.background = KIND_COLOURS[kind];
      return h('span', { class: 'gg-key' }, swatch, `${t(kindWord(kind, doors.ofPlans))} ${n}`);
    })),
    cells.length
      ? h('ul', { class: 'gg-list gg-changed', id: 'gg-changed' }, ...cells.map((cell) => cellRow(both, cell, doors)))
      : h('p', { class: 'gg-none' }, t('compareNoneLevel')),
  ];
}

function cellRow(both: Both, { before, after, name, kind }: ChangedCell, doors: Doors): HTMLElement {
  const code = before && after && before !== after ? `${before} → ${after}` : after || before;
  return h('li', {}, h('button', { type: 'button', onclick: () => doors.go([before, after], both) },
    h('span', { class: 'gg-main' }, name ? `${name} ${code}` : code), h('span', { class: 'gg-side' }, t(kindWord(kind, doors.ofPlans)))));
}

function movesPart(both: Both, doors: Doors): HTMLElement[] {
  const key = doors.level?.key ?? '';
  const moves = movesOf(both.found, key);
  const moved = moves.length ? h('small', {}, ` ${t('compareMoved', { n: diffOf(both.found, key).moved_households_text })}`) : null;
  if (!moves.length) return [h('h2', {}, t('compareMoves')), h('p', { class: 'gg-none' }, t('compareMovesNone'))];
  const most = moves.length >= MOST_MOVES ? [h('p', { class: 'gg-hint' }, t('compareMovesMost', { n: MOST_MOVES }))] : [];
  return [h('h2', {}, t('compareMoves'), moved), ...most, doors.ofPlans ? planMoves(both, moves, doors) : versionMoves(both, moves, doors)];
}

function versionMoves(both: Both, moves: readonly Move[], doors: Doors): HTMLElement {
  return h('ul', { class: 'gg-list gg-changed', id: 'gg-moves' }, ...moves.map((move) =>
    h('li', {}, h('button', { type: 'button', onclick: () => doors.go([move.from, move.to], both) },
      h('span', { class: 'gg-main' }, t('compareMoveRow', { from: move.from, to: move.to })),
      h('span', { class: 'gg-side' }, t('householdsUnit', { n: move.households_text }))))));
}

// Codes of two plans say little side by side: cells are called by their names as well.
function planMoves(both: Both, moves: readonly Move[], doors: Doors): HTMLElement {
  const title = titlesOf(both, doors.level?.key ?? '');
  const cell = (code: string, side: 0 | 1) => (code ? title(code, side) : t('compareNowhere'));
  return h('div', { class: 'gg-changed' }, h('table', { class: 'gg-moves-table', id: 'gg-moves' },
    h('thead', {}, h('tr', {}, ...(['compareInA', 'compareInB', 'compareHouseholds'] as const).map((word) => h('th', { scope: 'col' }, t(word))))),
    h('tbody', {}, ...moves.map((move) => h('tr', {},
      h('td', {}, h('button', { type: 'button', onclick: () => doors.go([move.from, move.to], both) }, cell(move.from, 0))),
      h('td', {}, cell(move.to, 1)),
      h('td', {}, move.households_text))))));
}

