// Borders as arcs over one list of vertices. Cells are only what lies between arcs: a vertex that
// moves is moved in every arc that has it, so no gap and no overlap can be drawn.
import type { Arc, Box, Command, LonLat } from '../api/types';
import { toSegment } from '../geo';
import { snap } from './commands';

export type Vertex = number;

interface Run {
  vertices: readonly Vertex[];
  // A border with the world outside stays where it is.
  isFixed: boolean;
}

export type Handle =
  | { kind: 'vertex'; vertex: Vertex }
  | { kind: 'middle'; from: Vertex; to: Vertex };

// Vertices in order along a border.
export type Way = readonly Vertex[];

export type Project = (place: LonLat) => { x: number; y: number };

export class ArcModel {
  private constructor(
    private readonly places: readonly LonLat[],
    private readonly runs: readonly Run[],
    private readonly nodes: ReadonlySet<Vertex>,
    private readonly fixed: ReadonlySet<Vertex>,
  ) {}

  // Borders of the levels that are on the map; without any named, of all.
  static from(all: readonly Arc[], levels?: readonly string[]): ArcModel {
    const arcs = levels ? all.filter(({ level }) => levels.includes(level)) : all;
    const number = new Map<string, Vertex>();
    const places: LonLat[] = [];
    const nodes = new Set<Vertex>();
    const fixed = new Set<Vertex>();
    const runs = arcs.map(({ coordinates, nodes: isNode, left, right }): Run => {
      const isFixed = left === '' || right === '';
      const vertices = coordinates.map((place, at) => {
        const key = place.join(' ');
        const vertex = number.get(key) ?? places.push(place) - 1;
        number.set(key, vertex);
        if (isNode[at]) nodes.add(vertex);
        if (isFixed) fixed.add(vertex);
        return vertex;
      });
      return { vertices, isFixed };
    });
    return new ArcModel(places, runs, nodes, fixed);
  }

  get count(): number {
    return this.places.length;
  }

  placeOf(handle: Handle): LonLat {
    if (handle.kind === 'vertex') return this.place(handle.vertex);
    const [ax, ay] = this.place(handle.from);
    const [bx, by] = this.place(handle.to);
    return [(ax + bx) / 2, (ay + by) / 2];
  }

  // Handles that may move, near a place of the screen, the nearest first; a vertex beats a middle.
  // Outside of a box, where one is given, nothing is even measured.
  near(point: { x: number; y: number }, project: Project, radius: number, box?: Box): Handle[] {
    const found: { handle: Handle; distance: number }[] = [];
    const seen = new Set<Vertex>();
    const add = (handle: Handle) => {
      const { x, y } = project(this.placeOf(handle));
      const distance = Math.hypot(x - point.x, y - point.y);
      if (distance <= radius) found.push({ handle, distance: distance + (handle.kind === 'middle' ? 4 : 0) });
    };
    for (const { vertices, isFixed } of this.runs) {
      if (isFixed) continue;
      vertices.forEach((vertex, at) => {
        const next = vertices[at + 1];
        if (box && !this.meets(box, vertex, next ?? vertex)) return;
        if (!seen.has(vertex) && !this.fixed.has(vertex)) add({ kind: 'vertex', vertex });
        seen.add(vertex);
        if (next !== undefined && this.isNear(point, vertex, next, project, radius)) add({ kind: 'middle', from: vertex, to: next });
      });
    }
    return found.sort((a, b) => a.distance - b.distance).map(({ handle }) => handle);
  }

  // Every stretch of border that a handle moves, as it would be with the handle at a place.
  dragged(handle: Handle, to: LonLat): LonLat[][] {
    if (handle.kind === 'middle') return [[this.place(handle.from), to, this.place(handle.to)]];
    return this.runs.flatMap(({ vertices }) => vertices.flatMap((vertex, at): LonLat[][] => {
      if (vertex !== handle.vertex) return [];
      return [vertices[at - 1], vertices[at + 1]]
        .filter((other) => other !== undefined)
        .map((other) => [this.place(other), to]);
    }));
  }

  // The same borders with a vertex elsewhere: what the others share with it moves along.
  withVertex(vertex: Vertex, to: LonLat): ArcModel {
    const places = this.places.with(vertex, to);
    return new ArcModel(places, this.runs, this.nodes, this.fixed);
  }

  lines(): LonLat[][] {
    return this.runs.map(({ vertices }) => vertices.map((vertex) => this.place(vertex)));
  }

  moveCommand(handle: Handle, to: LonLat): Command {
    if (handle.kind === 'vertex') return { command: 'move_vertex', at: this.place(handle.vertex), to };
    const ends = [this.place(handle.from), this.place(handle.to)] as const;
    return { command: 'move_run', run: [...ends], path: [ends[0], to, ends[1]] };
  }

  // A vertex where borders meet holds several of them, so it cannot be taken out.
  removeCommand(handle: Handle): Command | null {
    if (handle.kind !== 'vertex' || this.nodes.has(handle.vertex) || this.fixed.has(handle.vertex)) return null;
    for (const { vertices } of this.runs) {
      const at = vertices.indexOf(handle.vertex);
      const before = vertices[at - 1];
      const after = vertices[at + 1];
      if (at < 0 || before === undefined || after === undefined) continue;
      const ends = [this.place(before), this.place(after)] as const;
      return { command: 'move_run', run: [ends[0], this.place(handle.vertex), ends[1]], path: [...ends] };
    }
    return null;
  }

  // The vertex of a border nearest to a place of the screen; the limit's own borders do not count.
  vertexNear(point: { x: number; y: number }, project: Project, radius: number, box?: Box): Vertex | null {
    let best = { vertex: null as Vertex | null, distance: radius };
    for (const { vertices, isFixed } of this.runs) {
      if (isFixed) continue;
      for (const vertex of vertices) {
        if (box && !this.meets(box, vertex, vertex)) continue;
        const { x, y } = project(this.place(vertex));
        const distance = Math.hypot(x - point.x, y - point.y);
        if (distance <= best.distance) best = { vertex, distance };
      }
    }
    return best.vertex;
  }

  // The border nearest to a place, from where it meets others to where it does again. Borders that
  // are not on the map do not count.
  wayAt(point: { x: number; y: number }, project: Project, radius: number, box?: Box): Way {
    let best: { edge: readonly [Vertex, Vertex] | null; distance: number } = { edge: null, distance: radius };
    for (const { vertices, isFixed } of this.runs) {
      if (isFixed) continue;
      vertices.slice(1).forEach((next, at) => {
        const vertex = vertices[at] ?? next;
        if (box && !this.meets(box, vertex, next)) return;
        const [a, b] = [project(this.place(vertex)), project(this.place(next))];
        const distance = toSegment(point.x, point.y, a.x, a.y, b.x, b.y);
        if (distance <= best.distance) best = { edge: [vertex, next], distance };
      });
    }
    return best.edge ? this.untilMeeting(...best.edge) : [];
  }

  // The way with fewest vertices along borders from one to another; empty where none leads there.
  wayBetween(from: Vertex, to: Vertex): Way {
    const beside = this.neighbours();
    const before = new Map<Vertex, Vertex>([[from, from]]);
    const todo = [from];
    for (const here of todo) {
      if (here === to) break;
      for (const next of beside.get(here) ?? []) {
        if (before.has(next)) continue;
        before.set(next, here);
        todo.push(next);
      }
    }
    if (from === to || !before.has(to)) return [];
    const way = [to];
    while (way[0] !== from) way.unshift(before.get(way[0] ?? from) ?? from);
    return way;
  }

  lineOf(way: Way): LonLat[] {
    return way.map((vertex) => this.place(vertex));
  }

  snapCommand(way: Way, within: number): Command | null {
    // A ring has no ends to lead a street to.
    const isRing = way[0] === way.at(-1);
    return way.length < 2 || isRing ? null : snap(this.lineOf(way), within);
  }

  private untilMeeting(one: Vertex, other: Vertex): Way {
    const beside = this.neighbours();
    const onward = (from: Vertex, through: Vertex): Vertex[] => {
      const way = [through];
      let [before, here] = [from, through];
      while (!this.fixed.has(here) && here !== from) {
        const next = beside.get(here) ?? [];
        const [a, b] = next;
        if (next.length !== 2 || a === undefined || b === undefined) break;
        [before, here] = [here, a === before ? b : a];
        way.push(here);
      }
      return way;
    };
    const ahead = onward(one, other);
    if (ahead.at(-1) === one) return [one, ...ahead];
    return [...onward(other, one).reverse(), ...ahead];
  }

  private neighbours(): Map<Vertex, Vertex[]> {
    const beside = new Map<Vertex, Vertex[]>();
    const link = (one: Vertex, other: Vertex) => beside.set(one, [...(beside.get(one) ?? []), other]);
    for (const { vertices, isFixed } of this.runs) {
      if (isFixed) continue;
      vertices.slice(1).forEach((next, at) => {
        link(vertices[at] ?? next, next);
        link(next, vertices[at] ?? next);
      });
    }
    return beside;
  }

  private meets([west, south, east, north]: Box, one: Vertex, other: Vertex): boolean {
    const [ax, ay] = this.place(one);
    const [bx, by] = this.place(other);
    return Math.max(ax, bx) >= west && Math.min(ax, bx) <= east && Math.max(ay, by) >= south && Math.min(ay, by) <= north;
  }

  private place(vertex: Vertex): LonLat {
    return this.places[vertex] ?? [0, 0];
  }

  private isNear(point: { x: number; y: number }, from: Vertex, to: Vertex, project: Project, radius: number): boolean {
    const a = project(this.place(from));
    const b = project(this.place(to));
    // On a short edge the middle would sit on its ends.
    if (Math.hypot(a.x - b.x, a.y - b.y) < 28) return false;
    return toSegment(point.x, point.y, a.x, a.y, b.x, b.y) <= radius;
  }
}
