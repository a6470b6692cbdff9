// Borders as arcs over one list of vertices. Cells are only what lies between arcs: a vertex that
// moves is moved in every arc that has it, so no gap and no overlap can be drawn.
import type { Arc, Command, LonLat } from '../api/types';
import { toSegment } from '../geo';

export type Vertex = number;

interface Run {
  vertices: readonly Vertex[];
  // A border with the world outside stays where it is.
  isFixed: boolean;
}

export type Handle =
  | { kind: 'vertex'; vertex: Vertex }
  | { kind: 'middle'; from: Vertex; to: Vertex };

export type Project = (place: LonLat) => { x: number; y: number };

export class ArcModel {
  private constructor(
    private readonly places: readonly LonLat[],
    private readonly runs: readonly Run[],
    private readonly nodes: ReadonlySet<Vertex>,
    private readonly fixed: ReadonlySet<Vertex>,
  ) {}

  static from(arcs: readonly Arc[]): ArcModel {
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
  near(point: { x: number; y: number }, project: Project, radius: number): Handle[] {
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
        if (!seen.has(vertex) && !this.fixed.has(vertex)) add({ kind: 'vertex', vertex });
        seen.add(vertex);
        const next = vertices[at + 1];
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
