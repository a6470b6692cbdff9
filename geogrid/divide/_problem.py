"""The atoms as plain arrays: what the partition engine works on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import shapely
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

if TYPE_CHECKING:
    from geogrid.model.atoms import Atoms

__all__ = [
    "FloatArray",
    "IntArray",
    "Problem",
    "TextArray",
    "adjacency",
    "build_problem",
    "contract",
    "near_each_other",
    "pieces",
    "renumbered",
    "subset",
]

IntArray = npt.NDArray[np.int64]
TextArray = npt.NDArray[np.str_]
FloatArray = npt.NDArray[np.float64]

# What one metre of border costs, by the strength of the barrier that it follows (index; see
# BarrierKind): a border along a river is what planners want, one between two buildings of a
# compound is what they avoid. Index 0 is a border of which nothing is known.
_COST_OF_STRENGTH = np.array([1.0, 1.3, 1.1, 1.0, 0.93, 0.9, 0.78, 0.62, 0.53, 0.48, 0.43])

# The outer limit is no choice of the planner; it counts, so that a strip along it is seen as one.
_COST_OF_LIMIT = 0.7


# Up to here plain lists are faster than setting up a sparse matrix.
_FEW_LINKS = 800


@dataclass(frozen=True, slots=True, eq=False)
class Problem:
    """Atoms sorted by id, as arrays.

    Attributes
    ----------
    weight
        Households per atom.
    area
        Square metres per atom.
    x, y
        A point inside each atom, in metres.
    outer
        Cost of the part of each atom's border that no other atom of the problem shares.
    left, right, cost
        Rook neighbours and the cost of a cell border between them.
    """

    weight: FloatArray
    area: FloatArray
    x: FloatArray
    y: FloatArray
    outer: FloatArray
    left: IntArray
    right: IntArray
    cost: FloatArray

    @property
    def n(self) -> int:
        """How many atoms there are."""
        return len(self.weight)


def build_problem(atoms: Atoms) -> tuple[Problem, IntArray]:
    """Return the problem of ``atoms`` and the row of the frame that each of its nodes stands for.

    Nodes are in the order of ``atom_id``, so that the order of the rows cannot matter.
    """
    rows = np.argsort(atoms.frame["atom_id"].to_numpy(str), kind="stable").astype(np.int64)
    node = np.empty_like(rows)
    node[rows] = np.arange(len(rows))
    graph = atoms.graph
    first, second = node[graph.left], node[graph.right]
    left, right = np.minimum(first, second), np.maximum(first, second)
    order = np.lexsort((right, left))
    cost = graph.shared_m * _COST_OF_STRENGTH[graph.strength.astype(np.int64)]
    shapes = atoms.frame.geometry.to_numpy()[rows]
    shared = np.zeros(len(rows))
    np.add.at(shared, left, graph.shared_m)
    np.add.at(shared, right, graph.shared_m)
    inside = shapely.point_on_surface(shapes)
    problem = Problem(
        weight=atoms.frame["households"].to_numpy(np.float64)[rows],
        area=shapely.area(shapes),
        x=shapely.get_x(inside),
        y=shapely.get_y(inside),
        outer=np.maximum(shapely.length(shapes) - shared, 0.0) * _COST_OF_LIMIT,
        left=left[order],
        right=right[order],
        cost=cost[order],
    )
    return problem, rows


def subset(problem: Problem, nodes: IntArray) -> Problem:
    """Return the problem of some nodes; borders with the others become outer borders."""
    place = np.full(problem.n, -1, dtype=np.int64)
    place[nodes] = np.arange(len(nodes))
    left, right = place[problem.left], place[problem.right]
    outer = problem.outer[nodes].copy()
    leaving, entering = (left >= 0) & (right < 0), (left < 0) & (right >= 0)
    np.add.at(outer, left[leaving], problem.cost[leaving])
    np.add.at(outer, right[entering], problem.cost[entering])
    inner = (left >= 0) & (right >= 0)
    return Problem(
        weight=problem.weight[nodes],
        area=problem.area[nodes],
        x=problem.x[nodes],
        y=problem.y[nodes],
        outer=outer,
        left=left[inner],
        right=right[inner],
        cost=problem.cost[inner],
    )


def contract(problem: Problem, group: IntArray) -> Problem:
    """Return the problem in which the nodes of each group 0 … n-1 are one node."""
    n = int(group.max()) + 1

    def total(values: FloatArray) -> FloatArray:
        return np.bincount(group, weights=values, minlength=n).astype(np.float64)

    ends = np.sort(np.column_stack((group[problem.left], group[problem.right])), axis=1)
    between = ends[:, 0] != ends[:, 1]
    pairs, number = np.unique(ends[between], axis=0, return_inverse=True)
    cost = np.bincount(number.ravel(), weights=problem.cost[between], minlength=len(pairs))
    area = total(problem.area)
    return Problem(
        weight=total(problem.weight),
        area=area,
        x=total(problem.x * problem.area) / area,
        y=total(problem.y * problem.area) / area,
        outer=total(problem.outer),
        left=pairs[:, 0],
        right=pairs[:, 1],
        cost=cost.astype(np.float64),
    )


def near_each_other(problem: Problem) -> IntArray:
    """Return the nodes along a curve on which near ones follow each other (Z order).

    Loops over neighbours are several times faster where these are near in memory too.
    """

    def spread(values: FloatArray) -> IntArray:
        width = max(float(np.ptp(values)), 1e-9)
        bits: IntArray = ((values - values.min()) / width * 65535).astype(np.int64)
        for shift, mask in ((8, 0x00FF00FF), (4, 0x0F0F0F0F), (2, 0x33333333), (1, 0x55555555)):
            bits = np.asarray((bits | (bits << shift)) & mask, dtype=np.int64)
        return bits

    code = spread(problem.x) | (spread(problem.y) << 1)
    return np.argsort(code, kind="stable").astype(np.int64)


def renumbered(problem: Problem, order: IntArray) -> Problem:
    """Return the same problem with its nodes in another order."""
    place = np.empty_like(order)
    place[order] = np.arange(len(order))
    left, right = place[problem.left], place[problem.right]
    return Problem(
        weight=problem.weight[order],
        area=problem.area[order],
        x=problem.x[order],
        y=problem.y[order],
        outer=problem.outer[order],
        left=np.minimum(left, right),
        right=np.maximum(left, right),
        cost=problem.cost,
    )


def adjacency(problem: Problem) -> list[list[tuple[int, float]]]:
    """Return for each node its neighbours with the cost of the border, lowest node first."""
    links: list[list[tuple[int, float]]] = [[] for _ in range(problem.n)]
    triples = zip(problem.left.tolist(), problem.right.tolist(), problem.cost.tolist(), strict=True)
    for left, right, cost in triples:
        links[left].append((right, cost))
        links[right].append((left, cost))
    return links


def pieces(problem: Problem, label: IntArray) -> IntArray:
    """Return a number per node: nodes of one label that are connected share it."""
    same = label[problem.left] == label[problem.right]
    ends = (problem.left[same], problem.right[same])
    if len(ends[0]) <= _FEW_LINKS:
        return _few_pieces(problem.n, ends)
    matrix = coo_array((np.ones(len(ends[0]), dtype=np.int8), ends), shape=(problem.n, problem.n))
    _, numbers = connected_components(matrix, directed=False)
    return np.asarray(numbers, dtype=np.int64)


def _few_pieces(n: int, ends: tuple[IntArray, IntArray]) -> IntArray:
    root = list(range(n))
    for left, right in zip(ends[0].tolist(), ends[1].tolist(), strict=True):
        one, two = left, right
        while root[one] != one:
            root[one] = one = root[root[one]]
        while root[two] != two:
            root[two] = two = root[root[two]]
        root[max(one, two)] = min(one, two)
    # Roots are never above their nodes, so one pass upwards finds them all.
    for node in range(n):
        root[node] = root[root[node]]
    return np.unique(np.array(root, dtype=np.int64), return_inverse=True)[1].astype(np.int64)
