// What is written on cells, from the pieces of them that lie in the tiles at hand.
import type { LonLat, Shape } from '../api/types';
import { areasOf, middleOf } from '../geo';
import type { Text } from '../url';

// Cells are mostly wider than the largest circle inside them.
const ROOM = 2.3;
const LEAST_ROOM_PX = 16;
const FULL_SIZE = 16;
const LEAST_SIZE = 12;
// A level is lettered in one way; in full only where most of its cells have room for that.
const FULL_SHARE = 0.7;
const METRES_A_DEGREE = 111_320;

export interface Piece {
  code: string;
  name: string;
  parent: string;
  households: string;
  shape: Shape;
}

export interface Label {
  at: LonLat;
  text: string;
  size: number;
  order: number;
}

interface Spot {
  piece: Piece;
  at: LonLat;
  metres: number;
}

// The middle of each cell, of all its pieces together.
export function spotsOf(pieces: readonly Piece[]): Spot[] {
  const byCode = new Map<string, Piece[]>();
  for (const piece of pieces) byCode.set(piece.code, [...(byCode.get(piece.code) ?? []), piece]);
  const found: Spot[] = [];
  for (const [piece, ...more] of byCode.values()) {
    if (!piece) continue;
    const area = [piece, ...more].flatMap(({ shape }) => areasOf(shape));
    const squeeze = Math.cos(((area[0]?.[0]?.[0]?.[1] ?? 0) * Math.PI) / 180);
    const middle = middleOf(area, squeeze);
    if (middle) found.push({ piece, at: middle.at, metres: middle.radius * METRES_A_DEGREE });
  }
  return found;
}

// What the code or the name above already says is left out.
export function shortCode(piece: Piece): string {
  const { code, parent } = piece;
  return parent && code.startsWith(parent) && code.length > parent.length ? code.slice(parent.length) : code;
}

export function shortName(name: string): string {
  return name
    .replace(/^.*?(\d+)号?(?:(?:总|一般|微)?网格|片|组|邻)?$/, '$1号')
    .replace(/(?:居民委员会|村民委员会|村委会|居委会)$/, (end) => (end.startsWith('村') ? '村' : ''));
}

type Measure = (text: string, size: number) => number;

export function labelsOf(
  pieces: readonly Piece[], mode: Text, depth: number, metresAPixel: number, measure: Measure,
): Label[] {
  if (mode === 'none') return [];
  const size = Math.max(LEAST_SIZE, FULL_SIZE - depth * 1.5);
  const room = (spot: Spot) => (ROOM * spot.metres) / metresAPixel;
  const spots = spotsOf(pieces).filter((spot) => room(spot) >= LEAST_ROOM_PX);
  const full = (piece: Piece) => ({ name: piece.name, code: piece.code, households: piece.households })[mode];
  const short = (piece: Piece) => {
    if (mode === 'code') return shortCode(piece);
    return mode === 'name' ? shortName(piece.name) : piece.households;
  };
  const fitting = spots.filter((spot) => measure(full(spot.piece), size) <= room(spot));
  const write = fitting.length >= FULL_SHARE * spots.length ? full : short;
  return spots
    .map((spot) => ({ at: spot.at, text: write(spot.piece), size, order: -Math.round(spot.metres), room: room(spot) }))
    .filter((label) => label.text !== '' && measure(label.text, size) <= label.room)
    .map(({ room: _, ...label }) => label);
}

// Two vertices in common are an edge in common: both come from the whole numbers of one tile.
export function neighboursOf(pieces: readonly Piece[]): Map<string, Set<string>> {
  const owners = new Map<string, Set<string>>();
  for (const { code, shape } of pieces) {
    for (const ring of areasOf(shape).flat()) {
      for (const [x = 0, y = 0] of ring) {
        const key = `${x.toFixed(7)} ${y.toFixed(7)}`;
        const there = owners.get(key);
        if (there) there.add(code);
        else owners.set(key, new Set([code]));
      }
    }
  }
  const found = new Map<string, Set<string>>(pieces.map(({ code }) => [code, new Set()]));
  for (const codes of owners.values()) {
    if (codes.size < 2) continue;
    for (const one of codes) for (const other of codes) if (one !== other) found.get(one)?.add(other);
  }
  return found;
}
