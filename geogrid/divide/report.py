"""Measure a partition: balance, connection, shape, and what no partition could beat."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import shapely
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from geogrid.model.partition import PartitionReport

if TYPE_CHECKING:
    from geogrid.model.atoms import Atoms
    from geogrid.model.scheme import HouseholdBand

__all__ = ["measure_partition"]


def measure_partition(
    atoms: Atoms,
    labels: pd.Series,
    *,
    tolerance: float = 0.1,
    band: HouseholdBand | None = None,
) -> PartitionReport:
    """Measure labels of atoms.

    Parameters
    ----------
    labels
        Part of every atom, 0 … parts - 1, indexed by ``atom_id``.
    tolerance
        Relative deviation that counts as balanced when there is no band.
    band
        Households that a part should hold.
    """
    ids = atoms.frame["atom_id"].to_numpy()
    label = labels.reindex(ids).to_numpy(np.int64)
    parts = int(label.max()) + 1
    weight = atoms.frame["households"].to_numpy(np.int64)
    held = np.bincount(label, weights=weight, minlength=parts).astype(np.int64)
    target = weight.sum() / parts
    deviation = np.abs(held - target) / target if target > 0 else np.zeros(parts)
    if band is None:
        inside = deviation <= tolerance + 1e-12
    else:
        inside = np.array([households in band for households in held.tolist()])
    heaviest = int(weight.max())
    limit = target if band is None or band.high is None else max(float(band.high), target)
    is_floor = target > 0 and heaviest > limit and heaviest > target
    return PartitionReport(
        parts=parts,
        households=pd.Series(held, index=pd.RangeIndex(parts, name="part"), name="households"),
        deviation=float(deviation.max()),
        components=_components(atoms, label),
        compactness=_compactness(atoms, label, parts),
        floor=float(heaviest / target - 1) if is_floor else 0.0,
        floor_atom=str(min(ids[weight == heaviest])) if is_floor else None,
        in_band=float(inside.mean()),
    )


def _components(atoms: Atoms, label: np.ndarray) -> int:
    graph = atoms.graph
    same = label[graph.left] == label[graph.right]
    ends = (graph.left[same], graph.right[same])
    matrix = coo_array((np.ones(int(same.sum()), dtype=np.int8), ends), shape=(graph.n, graph.n))
    return int(connected_components(matrix, directed=False, return_labels=False))


def _compactness(atoms: Atoms, label: np.ndarray, parts: int) -> float:
    """Return the mean Polsby-Popper, from lengths and areas without dissolving anything."""
    graph = atoms.graph
    shapes = atoms.frame.geometry.to_numpy()
    area = np.bincount(label, weights=shapely.area(shapes), minlength=parts)
    border = np.bincount(label, weights=shapely.length(shapes), minlength=parts)
    same = label[graph.left] == label[graph.right]
    border -= 2 * np.bincount(label[graph.left[same]], graph.shared_m[same], minlength=parts)
    return float(np.mean(4 * np.pi * area / border**2))
