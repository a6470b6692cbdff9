"""Measure a partition: balance, connection, shape, and what no partition could beat."""

from __future__ import annotations

import math
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
    most = limit if band is not None else target * (1 + tolerance)
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
        proposed_cuts=_proposed_cuts(ids, weight, most),
        notes=_notes(ids, weight, held, is_floor=is_floor),
    )


def _proposed_cuts(ids: np.ndarray, weight: np.ndarray, most: float) -> dict[str, int]:
    """Say into how many pieces the atoms with more households than a part may hold must be cut."""
    if most <= 0:
        return {}
    heavy = np.flatnonzero(weight > most)
    heavy = heavy[np.lexsort((ids[heavy].astype(str), -weight[heavy]))]
    return {str(ids[row]): math.ceil(weight[row] / most) for row in heavy.tolist()}


def _notes(
    ids: np.ndarray, weight: np.ndarray, held: np.ndarray, *, is_floor: bool
) -> tuple[str, ...]:
    """Say in plain sentences what keeps the parts from being equal."""
    parts, total = len(held), int(weight.sum())
    populated, empty = int((weight > 0).sum()), int((held == 0).sum())
    notes = []
    if total == 0:
        notes.append("no atom has households: the parts are balanced by area instead")
    elif populated < parts:
        notes.append(
            f"only {populated} atoms have households, fewer than {parts} parts: at least "
            f"{parts - populated} parts hold none; ask for at most {populated} parts or cut atoms"
        )
    elif empty:
        notes.append(f"{empty} of {parts} parts hold no households: see the locks")
    if is_floor:
        heaviest = int(weight.max())
        name = min(ids[weight == heaviest].astype(str))
        notes.append(
            f"atom {name} alone has {heaviest} households where a part should hold "
            f"{total / parts:.1f}: no partition can come closer than "
            f"{heaviest * parts / total - 1:+.0%} unless it is cut"
        )
    return tuple(notes)


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
