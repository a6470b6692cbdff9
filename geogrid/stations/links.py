"""Which missing gate or path would bring most households within reach of a station.

A candidate is a straight link of some tens of metres between two streets that are far apart on
foot: the two sides of a wall, a dead end and the next street. What it would give is counted exactly
on the network: from its far end people walk on with what is left of the limit, and every household
keeps the place on the street that it has without the link. The best link is taken first, then the
best one besides it, so nobody is counted twice; a later link may go on from an earlier one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import geopandas as gpd
import numpy as np
import shapely

from geogrid.errors import InputError
from geogrid.stations._link_places import Pairs, Places, Sights
from geogrid.stations._reach_terms import FARTHEST_M, ReachTerms
from geogrid.vocabulary import LinkKind
from geogrid.walking.homes import HomeTable, list_walks, serve
from geogrid.walking.search import search
from geogrid.walking.snap import Spots

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    from geogrid.model.extract import OsmExtract
    from geogrid.model.reach import Reach
    from geogrid.walking.search import EdgeReach, Streets

__all__ = ["LONGEST_LINK_M", "LinkPlan", "suggest_links"]

LONGEST_LINK_M = 80.0

# A link that saves less is a short cut, not a missing link.
LEAST_SAVED_M = 100.0

# Newly served households of so many links are listed at a time.
_LINKS_AT_ONCE = 2000

_TIE_M = 1e-6


@dataclass(frozen=True, kw_only=True, eq=False)
class LinkPlan:
    """Links that are missing, the one that helps most first.

    Attributes
    ----------
    links
        ``rank, kind`` (:class:`~geogrid.vocabulary.LinkKind`), ``kind_zh, newly_served``
        (households, none of them counted for a link above), ``cumulative, length_m, saved_m``
        (metres of walking between its ends that it saves; infinite where there was no way),
        ``geometry`` (a straight line, from the served side).
    total, served_before, served_after
        Households in all, served without and with all the links.
    limit, unit, limit_m
        The limit.
    assumptions
        What stands behind the numbers.
    """

    links: gpd.GeoDataFrame
    total: int
    served_before: int
    served_after: int
    limit: float
    unit: str
    limit_m: float
    assumptions: dict[str, Any]

    def summary(self) -> dict[str, Any]:
        """Return plain JSON values; links without coordinates."""
        rows = self.links.drop(columns="geometry").to_dict("records")
        for row in rows:
            row["saved_m"] = row["saved_m"] if np.isfinite(row["saved_m"]) else None
        return {
            "links": rows,
            "households": self.total,
            "served_before": self.served_before,
            "served_after": self.served_after,
            "limit": self.limit,
            "unit": self.unit,
            "assumptions": self.assumptions,
        }


def suggest_links(
    reach: Reach,
    *,
    k: int = 5,
    limit: float | None = None,
    extract: OsmExtract | None = None,
    bridges: bool = False,
    longest_m: float = LONGEST_LINK_M,
) -> LinkPlan:
    """Suggest the links that would bring most households within a limit.

    Parameters
    ----------
    reach
        Measured with households, on level ground.
    k
        How many links at most; fewer where no other would serve anybody.
    limit
        One of the limits of the reach; the largest where absent.
    extract
        The map: no link runs through its buildings, one over its water, rails or express roads is
        a bridge, one through its walls a gate. Without it buildings are not known, and every
        barrier of the network needs a bridge.
    bridges
        Whether bridges are suggested too.
    longest_m
        The longest link, straight.

    Raises
    ------
    InputError
        If ``k`` or ``longest_m`` makes no sense, or the reach has no households or follows heights.
    """
    if k < 1 or not 0 < longest_m < np.inf:
        msg = f"k={k} links of at most {longest_m:g} m cannot be found: give positive numbers"
        raise InputError(msg)
    if reach.households.empty:
        msg = "the reach was measured without households: give households= and measure it again"
        raise InputError(msg)
    terms = ReachTerms.of(reach, limit)
    hunt = _Hunt(reach, terms, Sights.of(terms.network, extract), longest_m, bridges=bridges)
    found: list[_Link] = []
    while len(found) < k:
        link = hunt.best()
        if link is None:
            break
        hunt.build(link)
        found.append(link)
    return _plan(reach, terms, hunt, found, longest_m)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Link:
    """A link between two places, and the rows of households that it newly serves."""

    start: int
    end: int
    metres: float
    kind: LinkKind
    newly: NDArray[np.int64]
    gain: int


class _Hunt:
    """Places, pairs of them, and how far everything is from the stations with all links so far."""

    def __init__(
        self, reach: Reach, terms: ReachTerms, sights: Sights, longest_m: float, *, bridges: bool
    ) -> None:
        self.terms, self.sights, self.bridges = terms, sights, bridges
        network, rows = terms.network, terms.counting
        self.streets: Streets = terms.streets(from_stations=True)
        stations = reach.stations.geometry.to_numpy()[rows]
        self.starts = terms.placed(stations, from_stations=True).spots
        homes = terms.placed(reach.households.geometry.to_numpy(), from_stations=True).spots
        self.counts = reach.households["households"].to_numpy(dtype=np.int64)
        self.homes = HomeTable.of(self.streets, homes, self.counts)
        places = Places.of(network)
        self.pairs: Pairs = places.pairs(longest_m)
        if terms.is_turned(from_stations=True):
            turned = network.length_m[places.edge] - places.position_m
            places = replace(places, position_m=turned)
        self.places = places
        on = places.spots(np.arange(len(places.edge)), np.zeros(len(places.edge)))
        self.place_table = HomeTable.of(self.streets, on, np.ones(len(on.edge), np.int64))
        self.kind: NDArray[np.object_] = np.full(len(self.pairs.start), "", dtype=object)
        self.seeds = Spots(
            edge=np.empty(0, np.int64),
            position_m=np.empty(0),
            leg_m=np.empty(0),
            xy=np.empty((0, 2)),
        )
        self.built: list[_Link] = []
        self.place_m = self._metres(self.place_table)
        self.served = np.isfinite(self._metres(self.homes, terms.limit_m))

    def _metres(self, table: HomeTable, limit_m: float | None = None) -> NDArray[np.float64]:
        """Return the least walk from a station to each row of a table, with all links so far."""
        # Far enough beyond the limit to know what a link would save at its rim.
        limit_m = self.terms.limit_m + LEAST_SAVED_M if limit_m is None else limit_m
        spots = Spots(
            edge=np.concatenate([self.starts.edge, self.seeds.edge]),
            position_m=np.concatenate([self.starts.position_m, self.seeds.position_m]),
            leg_m=np.concatenate([self.starts.leg_m, self.seeds.leg_m]),
            xy=np.concatenate([self.starts.xy, self.seeds.xy]),
        )
        count = len(spots.edge)
        every = np.ones((1, count), dtype=bool)
        found = search(self.streets, spots, limit_m)
        rank = np.arange(count, dtype=np.int64)
        service = serve(self.streets, found, table, (limit_m,), every, rank)
        return np.asarray(service.metres[0])

    def _open_pairs(self) -> NDArray[np.intp]:
        """Return pairs from a served place to one that is much farther, if a link may be built."""
        pairs, metres = self.pairs, self.place_m
        after = metres[pairs.start] + pairs.metres
        with np.errstate(invalid="ignore"):
            saves = metres[pairs.end] - after >= LEAST_SAVED_M
        rows = np.flatnonzero(saves & (after < self.terms.limit_m))
        unknown = rows[self.kind[rows] == ""]
        xy = np.stack([self.places.xy[side[unknown]] for side in (pairs.start, pairs.end)], axis=1)
        self.kind[unknown] = self.sights.kinds(np.asarray(shapely.linestrings(xy)))
        allowed = [LinkKind.GATE, LinkKind.PATH, *([LinkKind.BRIDGE] if self.bridges else [])]
        return rows[np.isin(self.kind[rows], allowed)]

    def best(self) -> _Link | None:
        """Return the link that newly serves most households; of equals the shortest."""
        rows = self._open_pairs()
        after = self.place_m[self.pairs.start[rows]] + self.pairs.metres[rows]
        # At one far end the least walk before it serves all that any other does.
        order = np.lexsort((self.pairs.metres[rows], after, self.pairs.end[rows]))
        rows, after = rows[order], after[order]
        _, first = np.unique(self.pairs.end[rows], return_index=True)
        rows, after = rows[first], after[first]
        best: tuple[int, float, int] | None = None
        newly: NDArray[np.int64] = np.empty(0, np.int64)
        for row, homes in self._newly(rows, after):
            key = (-int(self.counts[homes].sum()), float(self.pairs.metres[row]), row)
            if key[0] and (best is None or key < best):
                best, newly = key, homes
        if best is None:
            return None
        row = best[2]
        return _Link(
            start=int(self.pairs.start[row]),
            end=int(self.pairs.end[row]),
            metres=best[1],
            kind=LinkKind(self.kind[row]),
            newly=newly,
            gain=-best[0],
        )

    def _newly(
        self, rows: NDArray[np.intp], after: NDArray[np.float64]
    ) -> Iterator[tuple[int, NDArray[np.int64]]]:
        """Yield each link with the households that only it brings within the limit."""
        for low in range(0, len(rows), _LINKS_AT_ONCE):
            part = slice(low, low + _LINKS_AT_ONCE)
            spots = self.places.spots(self.pairs.end[rows[part]], after[part])
            found: Iterator[EdgeReach] = search(self.streets, spots, self.terms.limit_m)
            walks = list_walks(self.streets, found, self.homes, self.terms.limit_m)
            fresh = ~self.served[walks.household]
            link, home = walks.spot[fresh], walks.household[fresh]
            starts = np.searchsorted(link, np.arange(len(spots.edge) + 1))
            for number in np.unique(link).tolist():
                yield int(rows[low + number]), home[starts[number] : starts[number + 1]]

    def build(self, link: _Link) -> None:
        """Add a link: from both its ends people walk on."""
        self.built.append(link)
        while True:
            ends = np.array([end for one in self.built for end in (one.end, one.start)])
            before = np.array([end for one in self.built for end in (one.start, one.end)])
            metres = np.repeat([one.metres for one in self.built], 2)
            leg = self.place_m[before] + metres
            known = self.seeds.leg_m
            is_settled = len(known) == len(leg) and not (leg < known - _TIE_M).any()
            if is_settled:
                break
            self.seeds = self.places.spots(ends, leg)
            self.place_m = self._metres(self.place_table)
        self.served = np.isfinite(self._metres(self.homes, self.terms.limit_m))

    def line(self, link: _Link) -> shapely.LineString:
        """Draw a link."""
        return shapely.LineString(self.places.xy[[link.start, link.end]])

    def saved_m(self, link: _Link) -> float:
        """Return the walk between the ends of a link without any link, less its own length."""
        start = self.places.spots(np.array([link.start]), np.zeros(1))
        end = self.places.spots(np.array([link.end]), np.zeros(1))
        table = HomeTable.of(self.streets, end, np.ones(1, np.int64))
        found = search(self.streets, start, FARTHEST_M)
        walks = list_walks(self.streets, found, table, FARTHEST_M)
        return float(walks.metres[0]) - link.metres if len(walks.metres) else float("inf")


def _plan(
    reach: Reach, terms: ReachTerms, hunt: _Hunt, found: list[_Link], longest_m: float
) -> LinkPlan:
    gains = np.array([link.gain for link in found], dtype=np.int64)
    before = int(
        hunt.counts[reach.households[f"served_{terms.limit:g}"].to_numpy(dtype=bool)].sum()
    )
    table = gpd.GeoDataFrame(
        {
            "rank": np.arange(1, len(found) + 1),
            "kind": np.array([link.kind.value for link in found], dtype=str),
            "kind_zh": np.array([link.kind.label_zh for link in found], dtype=str),
            "newly_served": gains,
            "cumulative": np.cumsum(gains),
            "length_m": np.array([link.metres for link in found], dtype=float),
            "saved_m": np.array([hunt.saved_m(link) for link in found], dtype=float),
        },
        geometry=[hunt.line(link) for link in found],
        crs=terms.network.crs,
    ).astype({"kind": "str", "kind_zh": "str"})
    kinds = "gates, paths and bridges" if hunt.bridges else "gates and paths, no bridges"
    return LinkPlan(
        links=table,
        total=int(hunt.counts.sum()),
        served_before=before,
        served_after=before + int(gains.sum()),
        limit=terms.limit,
        unit=terms.unit,
        limit_m=terms.limit_m,
        assumptions={
            **reach.assumptions,
            "links": f"straight, at most {longest_m:g} m, saving {LEAST_SAVED_M:g} m or more: "
            f"{kinds}; nobody has looked whether they can be built",
        },
    )
