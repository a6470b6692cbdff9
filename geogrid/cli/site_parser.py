"""The options of ``geogrid site``; nothing heavy is imported."""

from __future__ import annotations

import argparse
import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["add_site"]


def add_site(
    command: Callable[[str, str], argparse.ArgumentParser],
    datums: Sequence[str],
    minutes: Callable[[str], float],
) -> None:
    """Add the command.

    Parameters
    ----------
    command
        Makes a command from its name and what it does.
    datums
        Datums that a file may be in.
    minutes
        Reads minutes of walking.
    """
    parser = command("site", "where new stations serve most households (新站选址)")
    option = parser.add_argument
    option("--candidates", metavar="FILE", help="premises (闲置房屋): table or points; places "
           "along the streets where absent")  # fmt: skip
    option("--osm", required=True, metavar="FILE", help="OSM extract")
    option("--households", metavar="FILE", help="table or points; else estimated")
    option("--stations", metavar="FILE", help="existing stations, which stay")
    for name in ("candidates", "households", "stations"):
        option(f"--{name}-datum", choices=datums, help=f"datum of the {name}")
    number = parser.add_argument_group("how many, one of them")
    number.add_argument("-k", type=int, metavar="N", help="most households with N new stations")
    number.add_argument("--share", type=_number, metavar="S", help="fewest stations that serve "
                        "this share of all households, as 0.95")  # fmt: skip
    option("--objective", choices=("cover", "median"), default="cover", help="what -k stations "
           "are for: most households in reach, or the shortest mean walk")  # fmt: skip
    option("--minutes", type=minutes, help="limit to walk; 15 where absent")
    option("--preset", choices=("adult", "elder", "gb50180"), help="how minutes become metres")
    option("--metres", type=_number, help="limit to walk, instead of minutes")
    option("--capacity", type=int, metavar="N", help="households that a station can serve")
    option("--spacing", type=_number, default=200.0, metavar="METRES",
           help="between places along the streets")  # fmt: skip
    option("--time-limit", type=_number, default=60.0, metavar="SECONDS",
           help="for the exact search; 0 leaves it out")  # fmt: skip
    option("--seed", type=int, default=0, help="same seed, same sites")
    option("--plan", metavar="PLAN", help="plan file: count by its cells")
    option("--level", help="level of PLAN; the finest with cells where absent")
    option("--out", required=True, action="append", metavar="SITES",
           help="file to write, .gpkg or .xlsx; may be given several times")  # fmt: skip


def _number(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = -1.0
    if math.isfinite(number) and number >= 0:
        return number
    msg = f"{text} is no number that can be used: give 0 or more"
    raise argparse.ArgumentTypeError(msg)
