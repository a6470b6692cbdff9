import { expect, test } from 'vitest';
import type { Arc, LonLat } from '../api/types';
import { ArcModel, type Handle } from './arcs';

// Three cells that meet in the middle: two runs to the west and east, one to the south with a bend.
const MIDDLE: LonLat = [10, 10];
const BEND: LonLat = [12, 5];
const ARCS: Arc[] = [
  arc('west', [[0, 10], MIDDLE], [true, true]),
  arc('east', [MIDDLE, [20, 10]], [true, true]),
  arc('south', [MIDDLE, BEND, [10, 0]], [true, false, true]),
];
const project = ([x, y]: LonLat) => ({ x: x * 10, y: y * 10 });

function arc(id: string, coordinates: LonLat[], nodes: boolean[], right = 'b'): Arc {
  return { id, level: 'wei', left: 'a', right, coordinates, nodes };
}

function handleAt(model: ArcModel, place: LonLat): Handle {
  const found = model.near(project(place), project, 5)[0];
  if (!found) throw new Error('no handle');
  return found;
}

test('a vertex that borders share is one vertex', () => {
  expect(ArcModel.from(ARCS).count).toBe(5);
});

test('a moved vertex moves in every border that has it, so no gap can open', () => {
  const model = ArcModel.from(ARCS);
  const handle = handleAt(model, MIDDLE);
  expect(handle.kind).toBe('vertex');
  const moved = model.withVertex(handle.kind === 'vertex' ? handle.vertex : -1, [11, 11]);
  expect(moved.lines().flat().filter(([x, y]) => x === 11 && y === 11)).toHaveLength(3);
  expect(moved.lines().flat().some(([x, y]) => x === 10 && y === 10)).toBe(false);
  expect(model.lines().flat().filter(([x, y]) => x === 10 && y === 10)).toHaveLength(3);
});

test('while it is dragged a vertex pulls all stretches that end in it', () => {
  const model = ArcModel.from(ARCS);
  const drawn = model.dragged(handleAt(model, MIDDLE), [11, 11]);
  expect(drawn.map(([from]) => from)).toEqual([[0, 10], [20, 10], BEND]);
  expect(drawn.every(([, to]) => to?.join() === '11,11')).toBe(true);
});

test('moving, adding and removing a vertex are commands with the places of the service', () => {
  const model = ArcModel.from(ARCS);
  expect(model.moveCommand(handleAt(model, BEND), [13, 5])).toEqual({ command: 'move_vertex', at: BEND, to: [13, 5] });
  const middle = handleAt(model, [5, 10]);
  expect(middle.kind).toBe('middle');
  expect(model.moveCommand(middle, [5, 12])).toEqual({
    command: 'move_run', run: [[0, 10], MIDDLE], path: [[0, 10], [5, 12], MIDDLE],
  });
  expect(model.removeCommand(handleAt(model, BEND))).toEqual({
    command: 'move_run', run: [MIDDLE, BEND, [10, 0]], path: [MIDDLE, [10, 0]],
  });
});

test('a vertex where borders meet cannot be taken out', () => {
  const model = ArcModel.from(ARCS);
  expect(model.removeCommand(handleAt(model, MIDDLE))).toBeNull();
  const through = ArcModel.from([arc('through', [[0, 10], MIDDLE, [20, 10]], [true, true, true])]);
  expect(through.removeCommand(handleAt(through, MIDDLE))).toBeNull();
});

test('the limit of the district offers no handle, nor does a border where it meets it', () => {
  const model = ArcModel.from([...ARCS, arc('limit', [[0, 0], [0, 10], [0, 20]], [false, true, false], '')]);
  expect(model.near(project([0, 10]), project, 5)).toEqual([]);
  expect(model.near(project([0, 5]), project, 5)).toEqual([]);
});

test('the nearest handle comes first, and a short edge offers no middle', () => {
  const model = ArcModel.from([arc('short', [[0, 0], [1, 0]], [true, true])]);
  const found = model.near({ x: 9, y: 0 }, project, 20);
  expect(found.map((one) => model.placeOf(one))).toEqual([[1, 0], [0, 0]]);
});

test('only borders of the levels on the map offer handles', () => {
  const coarse = { ...arc('coarse', [[0, 0], [20, 0]], [true, true]), level: 'zong' };
  expect(ArcModel.from([...ARCS, coarse], ['zong']).count).toBe(2);
  expect(ArcModel.from([...ARCS, coarse], ['zong', 'wei']).count).toBe(7);
});

test('what lies outside of a box is no handle, and an edge through it is', () => {
  const model = ArcModel.from(ARCS);
  expect(model.near(project(BEND), project, 5, [9, 9, 11, 11])).toEqual([]);
  expect(model.near(project([5, 10]), project, 5, [4, 9, 6, 11])).toHaveLength(1);
});

test('a border is taken from where it meets others to where it does again', () => {
  const model = ArcModel.from(ARCS);
  expect(model.lineOf(model.wayAt(project([11, 7]), project, 15))).toEqual([MIDDLE, BEND, [10, 0]]);
  expect(model.wayAt(project([50, 50]), project, 15)).toEqual([]);
  // A finer border that ends on it, and is not on the map, ends it not.
  const through = ArcModel.from([arc('west', [[0, 10], MIDDLE], [true, true]), arc('east', [MIDDLE, [20, 10]], [true, true])]);
  expect(through.lineOf(through.wayAt(project([15, 10]), project, 5))).toEqual([[0, 10], MIDDLE, [20, 10]]);
  const round = ArcModel.from([arc('a', [[0, 0], [9, 0]], [true, true]), arc('b', [[9, 0], [9, 9], [0, 0]], [true, false, true])]);
  expect(round.wayAt(project([5, 0]), project, 5)).toHaveLength(4);
});

test('a part of a border leads along it from vertex to vertex, over a place where borders meet too', () => {
  const model = ArcModel.from(ARCS);
  const [from, to] = [[0, 10], BEND].map((at) => model.vertexNear(project(at as LonLat), project, 5));
  const way = model.wayBetween(from ?? -1, to ?? -1);
  expect(model.lineOf(way)).toEqual([[0, 10], MIDDLE, BEND]);
  expect(model.snapCommand(way, 25)).toEqual({ command: 'snap_to_streets', run: [[0, 10], MIDDLE, BEND], within_m: 25 });
  expect(model.wayBetween(from ?? -1, from ?? -1)).toEqual([]);
});

test('a ring, or less than an edge, is not laid onto a street', () => {
  const model = ArcModel.from([arc('ring', [[0, 0], [4, 0], [4, 4], [0, 0]], [false, false, false, false])]);
  expect(model.snapCommand(model.wayAt(project([2, 0]), project, 5), 30)).toBeNull();
  expect(model.snapCommand([], 30)).toBeNull();
});

test('the limit of the district is no way along which one could go', () => {
  const model = ArcModel.from([arc('limit', [[0, 0], [4, 0]], [true, true], '')]);
  expect(model.wayAt(project([2, 0]), project, 5)).toEqual([]);
  expect(model.vertexNear(project([0, 0]), project, 5)).toBeNull();
});
