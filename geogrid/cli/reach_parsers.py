"""The options of the commands about who can walk where; nothing heavy is imported."""

from __future__ import annotations

import argparse
import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["add_reach_commands"]

_LIST_HELP = "rows of households that could not be used are told; none is dropped silently"


def add_reach_commands(
    command: Callable[[str, str], argparse.ArgumentParser],
    datums: Sequence[str],
    minutes: Callable[[str], float],
) -> None:
    """Add ``circles``, ``why`` and ``links``.

    Parameters
    ----------
    command
        Makes a command from its name and what it does.
    datums
        Datums that a file may be in.
    minutes
        Reads minutes of walking.
    """
    circles = command("circles", "service circles of stations on the walking network, and who is "
                      "served (服务圈、覆盖率、盲区)")  # fmt: skip
    _inputs(circles, datums)
    _walking(circles, minutes)
    option = circles.add_argument
    option("--look", choices=("exact", "display"), default="exact", help="exact says what the "
           "count says; display closes small gaps, for maps alone")  # fmt: skip
    option("--cell", type=_number, default=5.0, metavar="METRES", help="cells of the circles")
    option("--plan", metavar="PLAN", help="plan file: rank its cells by share served and unserved")
    option("--level", action="append", default=[], metavar="LEVEL", help="levels of PLAN to rank; "
           "all of them in the files where absent")  # fmt: skip
    option("--out", required=True, action="append", metavar="C", help="file to write: .gpkg "
           ".geojson .xlsx; may be given several times")  # fmt: skip
    option(
        "--map",
        metavar="M.html",
        help="offline map of PLAN with the circles; without PLAN a page with a picture and a table",
    )
    option("--pictures", metavar="DIR", help="one picture (PNG) a station into this folder")
    option("--approval", default="", metavar="NO", help="map approval number (审图号)")
    option("--household-table", metavar="H.csv", help="who is served by which station, one row a "
           "household: personal data, not to be shared")  # fmt: skip

    why = command("why", "why a place is not served: the walk that is too long (为什么没覆盖)")
    why.add_argument("lon", type=float, help="longitude in degrees")
    why.add_argument("lat", type=float, help="latitude in degrees")
    why.add_argument("--datum", choices=datums, default="wgs84", help="datum of the place")
    _stations(why, datums)
    _walking(why, minutes)
    why.add_argument("--out", metavar="W", help="write the walk: .gpkg .geojson .xlsx")

    links = command("links", "which missing gate or path would bring most households into reach "
                    "(打通哪里最管用)")  # fmt: skip
    _inputs(links, datums)
    _walking(links, minutes, level_ground=True)
    links.add_argument("-k", type=int, default=5, metavar="N", help="how many links")
    links.add_argument("--longest", type=_number, default=80.0, metavar="METRES",
                       help="longest straight link")  # fmt: skip
    links.add_argument("--bridges", action="store_true",
                       help="also over water, rails and express roads")  # fmt: skip
    links.add_argument("--out", required=True, action="append", metavar="L", help="file to write: "
                       ".gpkg .geojson .xlsx; may be given several times")  # fmt: skip
    links.epilog = (
        "A link is straight, on foot, and runs through no building. Whether it can be built, and "
        "who owns the ground, has to be seen on the spot; the map may lack a gate that is there."
    )


def _stations(parser: argparse.ArgumentParser, datums: Sequence[str]) -> None:
    option = parser.add_argument
    option("--stations", required=True, metavar="FILE", help="table or points")
    option("--stations-datum", choices=datums, help="datum of the stations")
    option("--osm", required=True, metavar="FILE", help="OSM extract")


def _inputs(parser: argparse.ArgumentParser, datums: Sequence[str]) -> None:
    _stations(parser, datums)
    option = parser.add_argument
    option("--households", metavar="FILE", help=f"table or points; {_LIST_HELP}")
    option("--households-datum", choices=datums, help="datum of the households")
    option("--column", action="append", default=[], metavar="WHAT=HEADER",
           help="column of the households: lon, lat, x, y, households, household_id")  # fmt: skip


def _walking(
    parser: argparse.ArgumentParser,
    minutes: Callable[[str], float],
    *,
    level_ground: bool = False,
) -> None:
    option = parser.add_argument
    limits = parser.add_mutually_exclusive_group()
    limits.add_argument("--minutes", type=minutes, nargs="+", help="limits to walk; 5 15 where "
                        "absent")  # fmt: skip
    limits.add_argument("--metres", type=_number, nargs="+", help="limits in metres, instead")
    pace = parser.add_mutually_exclusive_group()
    pace.add_argument("--preset", choices=("adult", "elder", "gb50180"),
                      help="how minutes become metres: adult 4.8 km/h, elder 0.8 m/s, gb50180 "
                      "300/500/1000 m")  # fmt: skip
    pace.add_argument("--speed", type=_number, metavar="KMH", help="walking speed of your own")
    option("--direction", choices=("to_station", "from_station"), default="to_station",
           help="who walks; matters on one-way paths")  # fmt: skip
    option("--max-snap", type=_number, default=100.0, metavar="METRES",
           help="farther from every street is off the network")  # fmt: skip
    option("--tiers", nargs="+", default=[], metavar="PRESET|FILE|15=社区",
           help="which tier of station counts for which limit: community15, a .toml file, or "
           "15=社区 5=")  # fmt: skip
    if not level_ground:
        option("--heights", metavar="DEM.asc", help="heights in the network's frame: minutes "
               "follow the slope")  # fmt: skip
        option("--steps-factor", type=_number, default=1.0, metavar="F",
               help="how much longer stairs take")  # fmt: skip


def _number(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if math.isfinite(number) and number >= 0:
        return number
    msg = f"{text} is no number that can be used: give 0 or more"
    raise argparse.ArgumentTypeError(msg)
