"""OpenStreetMap of a named place, from the network into local files.

Only this module goes online, and only when it is called. osmnx asks the two services (Nominatim for
the limit, Overpass for the map) and leaves their raw answers in a temporary folder; from these an
ordinary extract is written, so everything after works on files alone. Users' names are neither
asked for nor written.
"""

from __future__ import annotations

import logging
import socket
import threading
import time
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeVar
from urllib.parse import urlparse

import geopandas as gpd

from geogrid.errors import InputError, OfflineError
from geogrid.io._overpass import read_answers, write_extract
from geogrid.io._scratch import scratch_beside
from geogrid.planar.crs import to_metric

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path
    from types import ModuleType

    import requests
    from shapely.geometry.base import BaseGeometry


__all__ = ["FetchResult", "fetch_place"]

_Tags = dict[str, "bool | str | list[str]"]

# One request each: what geogrid reads, and no more. Limits of provinces and countries reach far
# beyond any district, so only those of counties and smaller are asked for.
_LAYERS: tuple[tuple[str, _Tags], ...] = (
    (
        "streets and railways",
        {
            "highway": True,
            "railway": ["rail", "light_rail", "subway", "narrow_gauge", "tram", "monorail"],
        },
    ),
    (
        "waters and walls",
        {
            "waterway": ["river", "stream", "canal", "drain", "ditch", "riverbank"],
            "natural": ["water", "coastline"],
            "barrier": True,
        },
    ),
    ("buildings and land use", {"building": True, "landuse": True}),
    (
        "services and limits",
        {
            "amenity": True,
            "office": "government",
            "place": True,
            "admin_level": ["6", "7", "8", "9", "10", "11"],
        },
    ),
)
_STEPS = len(_LAYERS) + 2

_FIRST_PAUSE_S = 2.0
_LONGEST_PAUSE_S = 60.0
_TOO_MANY, _SERVER_FAULT = 429, 500
_LIMIT_NAME = "limit.geojson"
_USER_AGENT = "geogrid (through OSMnx)"

# osmnx keeps its settings in module globals: two fetches at a time would mix theirs.
_ONE_AT_A_TIME = threading.Lock()

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchResult:
    """Where a fetched place lies on disk.

    Attributes
    ----------
    osm, limit
        The extract (``.osm.pbf``) and the limit (``limit.geojson``).
    place
        The full name of the place that was found: check that it is the one meant.
    date
        Date of the map data, empty when the service did not say.
    nodes, ways, relations
        How many objects the extract holds.
    """

    osm: Path
    limit: Path
    place: str
    date: str
    nodes: int
    ways: int
    relations: int


class _NotAnsweredError(Exception):
    """A service was not reached, or its answer cannot be used; asking again may help."""

    def __init__(self, reason: str, *, pause_s: float = 0.0) -> None:
        super().__init__(reason)
        self.pause_s = pause_s


_T = TypeVar("_T")


class _Report(Protocol):
    def __call__(self, done: int, total: int, text: str, /) -> None: ...


def fetch_place(
    place: str,
    out: Path,
    *,
    overpass_url: str | None = None,
    nominatim_url: str | None = None,
    retries: int = 3,
    progress: Callable[[int, int, str], None] | None = None,
    margin_m: float = 1500.0,
) -> FetchResult:
    """Fetch the limit of a place and the map inside it and around it.

    Parameters
    ----------
    place
        A name that OpenStreetMap knows, from small to large: ``"芦淞区, 株洲市"``.
    out
        The extract to write (``….osm.pbf``), or a folder, which then holds ``extract.osm.pbf``;
        ``limit.geojson`` is written beside it. Nothing is left there when fetching fails.
    overpass_url, nominatim_url
        Services other than osmnx's; an Overpass of your own is not asked for its queue.
    retries
        How many more times each request is made, with growing pauses, when the service is not
        reached, too busy, or answers nonsense.
    progress
        Called with steps done, steps in all and what comes next.
    margin_m
        The map reaches this many metres beyond the limit.

    Raises
    ------
    OfflineError
        If a service was not reached or did not answer usefully.
    InputError
        If no place of that name has a limit, the map is empty there, or osmnx is not installed.
    OutputError
        If the files cannot be written.
    """
    if not place.strip() or retries < 0 or not margin_m >= 0:
        msg = (
            "fetching needs a place (--place), 0 or more tries again (--retries) and a margin of "
            "0 m or more (margin_m=)"
        )
        raise InputError(msg)
    osm = out if out.name.endswith((".pbf", ".osm")) else out / "extract.osm.pbf"
    report: _Report = progress or _say_nothing
    osmnx = _load_osmnx()
    with scratch_beside(osm) as folder:
        changes = _settings(folder, _AnswerCheck(place), overpass_url, nominatim_url)
        with _borrowed(osmnx, changes):
            asker = _Asker(osmnx, retries=retries, report=report)
            limit = asker.limit(place)
            area = to_metric(limit).buffer(margin_m).to_crs(4326).union_all()
            for step, (name, tags) in enumerate(_LAYERS, start=1):
                asker.layer(step, name, area, tags)
        report(_STEPS - 1, _STEPS, "writing the extract")
        result = _write(folder, osm, limit, area)
    report(_STEPS, _STEPS, "done")
    return result


class _Asker:
    """Asks the services through osmnx, again and again where that may help."""

    def __init__(self, osmnx: ModuleType, *, retries: int, report: _Report) -> None:
        self._osmnx = osmnx
        self._retries = retries
        self._report = report

    def limit(self, place: str) -> gpd.GeoDataFrame:
        """Return the limit of a place in degrees, one row."""
        what, url = f"the limit of {place}", self._osmnx.settings.nominatim_url
        self._report(0, _STEPS, what)
        return gpd.GeoDataFrame(self._ask(0, what, url, lambda: self._osmnx.geocode_to_gdf(place)))

    def layer(self, step: int, name: str, area: BaseGeometry, tags: _Tags) -> None:
        """Have the answers about one layer put into the temporary folder."""
        self._report(step, _STEPS, name)

        def ask() -> None:
            # osmnx says by an interrupt that all answers are in its folder (cache_only_mode).
            with suppress(InterruptedError):
                self._osmnx.features_from_polygon(area, tags)

        self._ask(step, name, self._osmnx.settings.overpass_url, ask)

    def _ask(self, step: int, what: str, url: str, ask: Callable[[], _T]) -> _T:
        pause_s, tries_left = _FIRST_PAUSE_S, self._retries
        while True:
            try:
                return _once(ask)
            except _NotAnsweredError as error:
                if not tries_left:
                    raise _offline(what, url, error) from error
                wait_s = min(max(pause_s, error.pause_s), _LONGEST_PAUSE_S)
                _log.info("%s: %s, trying again in %.0f s", what, error, wait_s)
                self._report(step, _STEPS, f"{what}: {error}, trying again in {wait_s:.0f} s")
            time.sleep(wait_s)
            pause_s, tries_left = 2 * pause_s, tries_left - 1


class _AnswerCheck:
    """Judges each answer before osmnx sees it.

    osmnx waits a minute for a busy server, for ever, and leaves out answers that carry a complaint.
    """

    def __init__(self, place: str) -> None:
        self._place = place

    def __call__(self, response: requests.Response, *_: object, **__: object) -> None:
        """Raise unless an answer of either service can be used; others pass unseen."""
        path = urlparse(response.url).path
        is_map, is_place = path.endswith("/interpreter"), path.endswith("/search")
        if response.is_redirect or not (is_map or is_place):
            return
        try:
            _require_success(response)
            answer = _json(response)
            if is_map:
                _require_map(answer)
            else:
                self._require_limit(answer)
        except (_NotAnsweredError, InputError, OfflineError):
            response.close()
            raise

    def _require_limit(self, answer: object) -> None:
        if not isinstance(answer, list):
            reason = "its answer is not a list of places"
            raise _NotAnsweredError(reason)
        if not answer:
            msg = (
                f"OpenStreetMap knows no place called {self._place}: "
                "name it from small to large, with commas"
            )
            raise InputError(msg)
        kinds = {found.get("geojson", {}).get("type") for found in answer}
        if not kinds & {"Polygon", "MultiPolygon"}:
            msg = f"OpenStreetMap has no limit of {self._place}: name a district or give a file"
            raise InputError(msg)


def _require_success(response: requests.Response) -> None:
    status = response.status_code
    if status == _TOO_MANY or status >= _SERVER_FAULT:
        reason = f"it answered {status} {response.reason or ''}".strip()
        wait = response.headers.get("Retry-After", "")
        raise _NotAnsweredError(reason, pause_s=float(wait) if wait.isdigit() else 0.0)
    if not response.ok:
        host = urlparse(response.url).hostname
        msg = (
            f"{host} refused the request ({status}): check the address of the service, "
            "or use a local extract with --osm"
        )
        raise OfflineError(msg)


def _json(response: requests.Response) -> object:
    try:
        return response.json()
    except ValueError as error:
        reason = "its answer is not JSON"
        raise _NotAnsweredError(reason) from error


def _require_map(answer: object) -> None:
    if not isinstance(answer, dict) or not isinstance(answer.get("elements"), list):
        reason = "its answer holds no map"
        raise _NotAnsweredError(reason)
    if "remark" in answer:
        reason = "it gave up before the answer was complete"
        raise _NotAnsweredError(reason)


def _once(ask: Callable[[], _T]) -> _T:
    import requests  # noqa: PLC0415 - comes with osmnx, which is optional

    try:
        return ask()
    except requests.Timeout as error:
        reason = "no answer in time"
        raise _NotAnsweredError(reason) from error
    except requests.RequestException as error:
        reason = "no connection"
        raise _NotAnsweredError(reason) from error


def _offline(what: str, url: str, error: _NotAnsweredError) -> OfflineError:
    host = urlparse(url).hostname
    return OfflineError(
        f"{what} could not be fetched from {host} ({error}): "
        "check the network or try later, or use a local extract with --osm"
    )


def _load_osmnx() -> ModuleType:
    try:
        import osmnx  # noqa: PLC0415 - optional, and slow to import
    except ModuleNotFoundError as error:
        msg = "fetching needs osmnx: install geogrid[fetch], or use a local extract with --osm"
        raise InputError(msg) from error
    return osmnx


@contextmanager
def _borrowed(osmnx: ModuleType, changes: dict[str, object]) -> Iterator[None]:
    """Change osmnx's settings for a while, and undo what it does to name look-ups."""
    with _ONE_AT_A_TIME:
        before = {name: getattr(osmnx.settings, name) for name in changes}
        look_up = socket.getaddrinfo
        try:
            for name, value in changes.items():
                setattr(osmnx.settings, name, value)
            yield
        finally:
            for name, value in before.items():
                setattr(osmnx.settings, name, value)
            socket.getaddrinfo = look_up


def _settings(
    folder: Path, check: _AnswerCheck, overpass_url: str | None, nominatim_url: str | None
) -> dict[str, object]:
    settings: dict[str, object] = {
        "use_cache": True,
        "cache_folder": folder / "answers",
        "cache_only_mode": True,
        "http_user_agent": _USER_AGENT,
        # Nobody but the two services is asked, not even for their address.
        "doh_url_template": None,
        "requests_kwargs": {"hooks": {"response": check}},
    }
    if overpass_url:
        settings |= {"overpass_url": overpass_url, "overpass_rate_limit": False}
    if nominatim_url:
        settings |= {"nominatim_url": nominatim_url}
    return settings


def _write(folder: Path, osm: Path, limit: gpd.GeoDataFrame, area: BaseGeometry) -> FetchResult:
    """Write both files in the temporary folder, then move them to their place."""
    answers = read_answers((folder / "answers").glob("*.json"))
    row = limit.iloc[0]
    place = str(row.get("display_name", ""))
    if not answers.ways:
        msg = f"OpenStreetMap holds no street and no building at {place}: name another place"
        raise InputError(msg)
    write_extract(answers, folder / osm.name, box=area.bounds)
    outline = gpd.GeoDataFrame(
        {
            "name": [str(row.get("name") or place)],
            "osm_id": [f"{str(row.get('osm_type', ''))[:1]}{row.get('osm_id', '')}"],
            "licence": ["ODbL 1.0"],
            "attribution": ["© OpenStreetMap contributors"],
        },
        geometry=list(limit.geometry),
        crs=4326,
    )
    outline.to_file(folder / _LIMIT_NAME, driver="GeoJSON")
    (folder / osm.name).replace(osm)
    return FetchResult(
        osm=osm,
        limit=(folder / _LIMIT_NAME).replace(osm.parent / _LIMIT_NAME),
        place=place,
        date=answers.timestamp[:10],
        nodes=len(answers.nodes),
        ways=len(answers.ways),
        relations=len(answers.relations),
    )


def _say_nothing(_done: int, _total: int, _text: str) -> None:
    """Report to nobody."""
