// Plain geometry on degrees: boxes, the middle of an area, what lies inside.
import type { Box, LonLat, Shape } from './api/types';

export type Ring = readonly (readonly number[])[];

export function areasOf(shape: Shape | null): Ring[][] {
  if (shape?.type === 'Polygon') return [shape.coordinates];
  if (shape?.type === 'MultiPolygon') return shape.coordinates;
  return [];
}

function places(shape: Shape): Ring {
  switch (shape.type) {
    case 'Point': return [shape.coordinates];
    case 'MultiPoint': case 'LineString': return shape.coordinates;
    case 'MultiLineString': case 'Polygon': return shape.coordinates.flat();
    case 'MultiPolygon': return shape.coordinates.flat(2);
    case 'GeometryCollection': return shape.geometries.flatMap((one) => [...places(one)]);
  }
}

export function boxOf(shape: Shape | null): Box | null {
  const all = shape ? places(shape) : [];
  if (!all.length) return null;
  const box: Box = [Infinity, Infinity, -Infinity, -Infinity];
  for (const [x = 0, y = 0] of all) {
    box[0] = Math.min(box[0], x);
    box[1] = Math.min(box[1], y);
    box[2] = Math.max(box[2], x);
    box[3] = Math.max(box[3], y);
  }
  return box;
}

export function isInside(x: number, y: number, rings: readonly Ring[]): boolean {
  let inside = false;
  for (const ring of rings) {
    for (let i = 0, j = ring.length - 1; i < ring.length; j = i, i += 1) {
      const [ax = 0, ay = 0] = ring[i] ?? [];
      const [bx = 0, by = 0] = ring[j] ?? [];
      if (ay > y !== by > y && x < ((bx - ax) * (y - ay)) / (by - ay) + ax) inside = !inside;
    }
  }
  return inside;
}

export function toSegment(x: number, y: number, ax: number, ay: number, bx: number, by: number): number {
  const dx = bx - ax;
  const dy = by - ay;
  const length = dx * dx + dy * dy;
  const t = length ? Math.max(0, Math.min(1, ((x - ax) * dx + (y - ay) * dy) / length)) : 0;
  return Math.hypot(x - ax - t * dx, y - ay - t * dy);
}

type Edge = readonly [number, number, number, number];

function edgesOf(rings: readonly Ring[]): Edge[] {
  return rings.flatMap((ring) => ring.slice(1).map(([bx = 0, by = 0], at): Edge => {
    const [ax = 0, ay = 0] = ring[at] ?? [];
    return [ax, ay, bx, by];
  }));
}

// Where a tile cuts an area its edge lies inside of the piece in the next tile: that is no border.
function bordersOf(pieces: readonly Ring[][]): Edge[] {
  return pieces.flatMap((piece) => edgesOf(piece).filter(([ax, ay, bx, by]) =>
    !pieces.some((other) => other !== piece && isInside((ax + bx) / 2, (ay + by) / 2, other))));
}

export interface Middle {
  at: LonLat;
  radius: number;
}

// A raster of places, then a finer one round the best: near enough to the largest circle inside
// for a label, and of known cost. `squeeze` is the length of a degree of longitude in latitudes.
const SIDE = 7;
const ROUNDS = 3;

export function middleOf(area: readonly Ring[][], squeeze: number): Middle | null {
  const pieces = area.map((rings) => rings.map((ring) => ring.map(([x = 0, y = 0]) => [x * squeeze, y])));
  const corners = pieces.flat(2);
  if (!corners.length) return null;
  const borders = bordersOf(pieces);
  let box = boxOf({ type: 'LineString', coordinates: corners }) as Box;
  let best = { x: 0, y: 0, radius: 0 };
  for (let round = 0; round < ROUNDS; round += 1) {
    const stepX = (box[2] - box[0]) / SIDE;
    const stepY = (box[3] - box[1]) / SIDE;
    for (let at = 0; at < SIDE * SIDE; at += 1) {
      const x = box[0] + stepX * ((at % SIDE) + 0.5);
      const y = box[1] + stepY * (Math.floor(at / SIDE) + 0.5);
      if (!pieces.some((piece) => isInside(x, y, piece))) continue;
      const radius = Math.min(...borders.map(([ax, ay, bx, by]) => toSegment(x, y, ax, ay, bx, by)));
      if (radius > best.radius) best = { x, y, radius };
    }
    box = [best.x - stepX, best.y - stepY, best.x + stepX, best.y + stepY];
  }
  return best.radius > 0 ? { at: [best.x / squeeze, best.y], radius: best.radius } : null;
}

// "113.13, 27.83", also with a Chinese comma or a space; latitude first where only that can be.
export function parsePlace(text: string): LonLat | null {
  const match = /^\s*(-?\d+(?:\.\d+)?)\s*[,，\s]\s*(-?\d+(?:\.\d+)?)\s*$/.exec(text);
  if (!match) return null;
  const first = Number(match[1]);
  const second = Number(match[2]);
  if (Math.abs(second) <= 90 && Math.abs(first) <= 180) return [first, second];
  if (Math.abs(first) <= 90 && Math.abs(second) <= 180) return [second, first];
  return null;
}
