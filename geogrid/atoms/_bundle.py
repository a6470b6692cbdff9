"""Neighbouring buildings of a crowded block, bundled up to a number of households.

Every bundle that holds too much is halved across its long axis, all of them at once: sorting does
what a loop over blocks would. A cut is only taken where both halves can still be filled into as
few bundles as the whole, so that bundles come out full; among such cuts the one near the middle
wins, or one through a wide gap.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Counts = npt.NDArray[np.int64]
    Metres = npt.NDArray[np.float64]

__all__ = ["bundles_of"]

# A gap as wide as the bundle is long would justify the most uneven cut.
_GAP_WEIGHT = 1.0


def bundles_of(xy: Metres, households: Counts, block: Counts, limit: int) -> Counts:
    """Bundle the sites of each block.

    Parameters
    ----------
    xy
        Middles of the sites in metres, shape (n, 2).
    households
        Of each site.
    block
        The block 0 … of each site.
    limit
        Most households in a bundle; a site with more is the only lived-in one in its bundle.

    Returns
    -------
    ndarray
        A bundle number 0 … per site; none spans two blocks.
    """
    weight = np.minimum(households, limit)
    bundle = block.astype(np.int64)
    while True:
        total = np.bincount(bundle, weights=weight)
        rows = np.flatnonzero(total[bundle] > limit)
        if not len(rows):
            return np.unique(bundle, return_inverse=True)[1].astype(np.int64)
        upper = _upper_half(xy[rows], weight[rows], bundle[rows], limit)
        bundle[rows[upper]] += bundle.max() + 1


def _upper_half(xy: Metres, weight: Counts, bundle: Counts, limit: int) -> npt.NDArray[np.bool_]:
    """Say which sites go to the second half of their bundle."""
    group = np.unique(bundle, return_inverse=True)[1]
    along = _along_axis(xy, group)
    order = np.lexsort((xy[:, 1], xy[:, 0], along, group))
    group, along, weight = group[order], along[order], weight[order]
    first = np.flatnonzero(np.diff(group, prepend=-1))
    last = np.append(first[1:], len(group)) - 1
    run = np.cumsum(weight)
    before = run[first] - weight[first]
    low = run - before[group]
    total = (run[last] - before)[group]
    # A cut lies behind each site but the last of its group.
    needed = -(-low // limit) + -(-(total - low) // limit)
    # A bundle without households would only be given away again.
    needed += (low == 0) | (low == total)
    gap = np.diff(along, append=along[-1])
    extent = np.maximum(along[last] - along[first], 1e-9)[group]
    score = np.abs(low / total - 0.5) - _GAP_WEIGHT * gap / extent
    needed[last] = np.iinfo(np.int64).max
    best = np.lexsort((score, needed, group))[first]
    upper = np.zeros(len(group), dtype=bool)
    upper[order] = np.arange(len(group)) > best[group]
    return upper


def _along_axis(xy: Metres, group: Counts) -> Metres:
    """Return each site's position along the long axis of its group."""
    size = np.bincount(group)
    mean = np.column_stack([np.bincount(group, weights=column) / size for column in xy.T])
    x, y = (xy - mean[group]).T
    xx, yy, xy_ = (np.bincount(group, weights=product) for product in (x * x, y * y, x * y))
    angle = 0.5 * np.arctan2(2 * xy_, xx - yy)
    along: Metres = x * np.cos(angle)[group] + y * np.sin(angle)[group]
    return along
