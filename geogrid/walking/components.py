"""Which streets hang together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from geogrid.walking.build import EdgeTable

__all__ = ["component_table", "edge_components"]


def edge_components(edges: EdgeTable) -> NDArray[np.int64]:
    """Return the component of each edge, numbered from the longest (0) down."""
    count = len(edges.xy)
    links = coo_array((np.ones(len(edges.u)), (edges.u, edges.v)), shape=(count, count))
    _, label = connected_components(links, directed=False)
    metres = np.bincount(label[edges.u], weights=edges.length_m, minlength=label.max() + 1)
    rank = np.empty(len(metres), dtype=np.int64)
    rank[np.argsort(-metres, kind="stable")] = np.arange(len(metres))
    return np.asarray(rank[label[edges.u]])


def component_table(component: NDArray[np.int64], length_m: NDArray[np.float64]) -> pd.DataFrame:
    """List components, longest first: ``component, edges, km, share`` of all kilometres."""
    km = np.bincount(component, weights=length_m) / 1000
    edges = np.bincount(component)
    used = edges > 0
    total = km.sum()
    share = km / total if total else np.zeros(len(km))
    return pd.DataFrame(
        {
            "component": np.flatnonzero(used),
            "edges": edges[used],
            "km": km[used],
            "share": share[used],
        }
    )
