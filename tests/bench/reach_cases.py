"""A real foot graph, 25 disconnected copies of it, and points on both, the same in every run."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from geogrid.walking import WalkNetwork
from geogrid.walking.snap import Spots

STATIONS, HOUSEHOLDS = 300, 100_000


@dataclass(frozen=True)
class ReachCase:
    name: str
    walk: WalkNetwork
    stations: Spots
    homes: Spots


def reach_cases(shared_data):
    """Liechtenstein as it is, and 5 by 5 copies side by side."""
    small = WalkNetwork.from_osm(shared_data / "osm" / "liechtenstein.osm.pbf")
    for name, walk in (("1 copy", small), ("25 copies", _tiled(small, 5))):
        yield ReachCase(
            name, walk, _on_streets(walk, STATIONS, seed=1), _on_streets(walk, HOUSEHOLDS, seed=2)
        )


def _tiled(walk, side):
    nodes, step = len(walk.xy), np.ptp(walk.xy, axis=0) + 5000
    copies = [(row, column) for row in range(side) for column in range(side)]
    return WalkNetwork(
        u=np.concatenate([walk.u + number * nodes for number in range(len(copies))]),
        v=np.concatenate([walk.v + number * nodes for number in range(len(copies))]),
        length_m=np.tile(walk.length_m, len(copies)),
        geometry=np.tile(walk.geometry, len(copies)),
        oneway=np.tile(walk.oneway, len(copies)),
        xy=np.concatenate([walk.xy + step * copy for copy in copies]),
        crs=walk.crs,
    )


def _on_streets(walk, count, *, seed):
    """Places spread evenly along the streets, off their corners."""
    rng = np.random.default_rng(seed)
    edge = rng.choice(len(walk.u), count, p=walk.length_m / walk.length_m.sum())
    return Spots(
        edge=edge.astype(np.int64),
        position_m=rng.uniform(0.05, 0.95, count) * walk.length_m[edge],
        leg_m=rng.uniform(0, 40, count),
        xy=np.zeros((count, 2)),
    )
