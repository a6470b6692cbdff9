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
