"""Places for buildings: in rows across a ground, or along a lane."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import shapely

__all__ = ["Frames", "RowRule", "Slots", "rectangles", "row_slots"]

Floats = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]

_MOST_ROWS = 24
_PARALLEL = 1e-9


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RowRule:
    """How buildings stand on each ground, all in metres, one value a ground.

    ``length`` and ``depth`` of a building, ``spacing`` from row to row, ``gap`` between neighbours
    in a row, ``margin`` to the fence, ``aisle`` half the free width along the spine (negative for
    no spine at all).
    """

    length: Floats
    depth: Floats
    spacing: Floats
    gap: Floats
    margin: Floats
    aisle: Floats

    def take(self, rows: npt.NDArray[np.generic]) -> RowRule:
        """Return the rules of some grounds."""
        return RowRule(
            **{
                name: getattr(self, name)[rows]
                for name in ("length", "depth", "spacing", "gap", "margin", "aisle")
            }
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Frames:
    """A frame on each ground: ``origin`` on its south side, ``north`` along its spine."""

    origin: Floats
    north: Floats

    @property
    def east(self) -> Floats:
        """The unit vector across."""
        return np.column_stack([self.north[:, 1], -self.north[:, 0]])

    def world(self, ground: Indices, u: Floats, v: Floats) -> Floats:
        """Turn local metres (across, along) into coordinates."""
        return (
            self.origin[ground] + u[:, None] * self.east[ground] + v[:, None] * self.north[ground]
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Slots:
    """Places for buildings: ground, row, and the middle ``u, v`` in the ground's frame."""

    ground: Indices
    row: Indices
    u: Floats
    v: Floats


def row_slots(corner: Floats, frames: Frames, rule: RowRule) -> Slots:
    """Fill convex grounds with rows that face south, on both sides of a spine.

    Every building keeps ``margin`` to each side of its ground exactly.
    """
    count = len(corner)
    step = np.roll(corner, -1, axis=1) - corner
    length = np.maximum(np.hypot(step[..., 0], step[..., 1]), 1e-9)
    normal = np.stack([-step[..., 1], step[..., 0]], axis=-1) / length[..., None]
    across = (normal * frames.east[:, None, :]).sum(axis=2)
    along = (normal * frames.north[:, None, :]).sum(axis=2)
    inside = (normal * (frames.origin[:, None, :] - corner)).sum(axis=2) - rule.margin[:, None]
    local_v = ((corner - frames.origin[:, None]) * frames.north[:, None]).sum(axis=2)
    low = np.maximum(local_v[:, 0], local_v[:, 1]) + rule.margin
    high = np.minimum(local_v[:, 2], local_v[:, 3]) - rule.margin
    room = high - low - rule.depth
    rows = np.clip(np.floor(room / rule.spacing).astype(np.int64) + 1, 0, _MOST_ROWS)
    rows[room < 0] = 0
    ground = np.repeat(np.arange(count), rows)
    row = np.arange(len(ground)) - np.repeat(np.cumsum(rows) - rows, rows)
    # Rows share what is left over, up to a half more than they need.
    step_v = np.where(rows > 1, room / np.maximum(rows - 1, 1), 0.0)
    step_v = np.minimum(step_v, 1.5 * rule.spacing)
    slack = np.maximum(room - step_v * np.maximum(rows - 1, 0), 0.0)
    v = (low + rule.depth / 2 + slack / 2)[ground] + row * step_v[ground]
    west, east = _reach(across[ground], along[ground], inside[ground], v, rule.depth[ground] / 2)
    before = np.where(rule.aisle < 0, np.inf, -rule.aisle)
    beyond = np.where(rule.aisle < 0, np.inf, rule.aisle)
    parts = [
        _fill(ground, row, v, west, np.minimum(east, before[ground]), rule),
        _fill(ground, row, v, np.maximum(west, beyond[ground]), east, rule),
    ]
    joined = {
        name: np.concatenate([getattr(part, name) for part in parts])
        for name in ("ground", "row", "u", "v")
    }
    order = np.lexsort((joined["u"], joined["row"], joined["ground"]))
    return Slots(**{name: values[order] for name, values in joined.items()})


def _reach(
    across: Floats, along: Floats, inside: Floats, v: Floats, half: Floats
) -> tuple[Floats, Floats]:
    """Return the interval of u in which a strip ``v - half … v + half`` lies inside a ground."""
    west, east = np.full(len(v), -1e6), np.full(len(v), 1e6)
    for edge in (-1.0, 1.0):
        rest = inside + along * (v + edge * half)[:, None]
        is_flat = np.abs(across) < _PARALLEL
        bound = -rest / np.where(is_flat, 1.0, across)
        west = np.maximum(west, np.where(across > _PARALLEL, bound, -1e6).max(axis=1))
        east = np.minimum(east, np.where(across < -_PARALLEL, bound, 1e6).min(axis=1))
        blocked = (is_flat & (rest < 0)).any(axis=1)
        east = np.where(blocked, west - 1.0, east)
    return west, east


def _fill(
    ground: Indices, row: Indices, v: Floats, west: Floats, east: Floats, rule: RowRule
) -> Slots:
    """Put as many buildings as fit between ``west`` and ``east``, evenly."""
    size, gap = rule.length[ground], rule.gap[ground]
    room = east - west
    number = np.floor(np.maximum(room + gap, 0.0) / (size + gap)).astype(np.int64)
    owner = np.repeat(np.arange(len(ground)), number)
    rank = np.arange(len(owner)) - np.repeat(np.cumsum(number) - number, number)
    step = np.where(number > 1, (room - size) / np.maximum(number - 1, 1), 0.0)
    step = np.minimum(step, 1.6 * (size + gap))
    start = west + size / 2 + np.maximum(room - size - step * (number - 1), 0.0) / 2
    return Slots(
        ground=ground[owner], row=row[owner], u=start[owner] + rank * step[owner], v=v[owner]
    )


def rectangles(
    middle: Floats, east: Floats, length: Floats, depth: Floats
) -> npt.NDArray[np.object_]:
    """Return rectangles round ``middle``, ``length`` along the unit vectors ``east``."""
    north = np.column_stack([-east[:, 1], east[:, 0]])
    corners = np.stack(
        [
            middle + a * length[:, None] / 2 * east + b * depth[:, None] / 2 * north
            for a, b in ((-1, -1), (1, -1), (1, 1), (-1, 1))
        ],
        axis=1,
    )
    # Millimetres, as everything that is drawn.
    corners = np.round(corners * 1000) / 1000
    return np.asarray(shapely.polygons(corners)) if len(corners) else np.empty(0, dtype=object)
