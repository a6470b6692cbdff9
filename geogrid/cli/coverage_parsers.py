"""The options of the commands that mend, compare and unite cells; nothing heavy is imported."""

from __future__ import annotations

import argparse
import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

__all__ = ["add_coverage_commands"]

_POLICIES = ("longest_border", "fewest_households", "most_compact", "ask")


def add_coverage_commands(
    command: Callable[[str, str], argparse.ArgumentParser], datums: Sequence[str]
) -> None:
    """Add repair, compare, unify and align.

    Parameters
    ----------
    command
        Makes a command from its name and what it does.
    datums
        Datums that a file may be in.
    """
    _repair(command("repair", "mend gaps, overlaps and spills, log every change"), datums)
    _compare(command("compare", "which households move from which cell to which"), datums)
    _unify(command("unify", "make one coverage of several layers (多网合一)"), datums)
    _align(command("align", "fit the borders of cells to those of a reference"), datums)


def _repair(parser: argparse.ArgumentParser, datums: Sequence[str]) -> None:
    parser.add_argument("plan", metavar="PLAN", help="plan file, or any layer of polygons")
    parser.add_argument("--out", required=True, metavar="P",
                        help="mended file; .gpkg .geojson .shp .fgb")  # fmt: skip
    parser.add_argument("--limit", metavar="FILE", help="what the cells should cover")
    parser.add_argument("--limit-datum", choices=datums, help="datum of the limit")
    parser.add_argument(
        "--policy", choices=_POLICIES, default="longest_border",
        help="who gets a gap or an overlap; ask only lists the questions",
    )  # fmt: skip
    parser.add_argument("--lock", nargs="+", metavar="CODE|FILE",
                        help="cells that do not change, or a file, one code a line")  # fmt: skip
    _households(parser, datums)
    _layer(parser, "PLAN", datums)
    parser.add_argument("--preview", metavar="M.html", help="map of before and after")


def _compare(parser: argparse.ArgumentParser, datums: Sequence[str]) -> None:
    parser.add_argument("a", metavar="A", help="the old cells: plan file or layer of polygons")
    parser.add_argument("b", metavar="B", help="the new cells")
    parser.add_argument("--level", help="level of plan files; the finest where absent")
    parser.add_argument("--out", metavar="DIR|FILE",
                        help="folder, or .xlsx .json .html .csv .gpkg")  # fmt: skip
    _households(parser, datums)
    for side in ("a", "b"):
        name = side.upper()
        parser.add_argument(f"--layer-{side}", metavar="LAYER", help=f"layer of {name}")
        parser.add_argument(f"--datum-{side}", choices=datums, help=f"datum of {name}")


def _unify(parser: argparse.ArgumentParser, datums: Sequence[str]) -> None:
    parser.add_argument("files", nargs="+", metavar="FILE",
                        help="plan files or layers of polygons, the leading one first")  # fmt: skip
    parser.add_argument("--limit", required=True, metavar="FILE", help="what is to be filled")
    parser.add_argument("--limit-datum", choices=datums, help="datum of the limit")
    parser.add_argument("--out", required=True, metavar="U.gpkg", help="file to write")
    parser.add_argument("--level", help="level of plan files; the finest where absent")
    _households(parser, datums)
    parser.add_argument("--layer", action="append", default=[], metavar="[FILE=]LAYER",
                        help="layer, of every file or of one")  # fmt: skip
    parser.add_argument("--datum", action="append", default=[], metavar="[FILE=]DATUM",
                        help=f"datum, of every file or of one: {' '.join(datums)}")  # fmt: skip


def _align(parser: argparse.ArgumentParser, datums: Sequence[str]) -> None:
    parser.add_argument("plan", metavar="PLAN", help="plan file, or any layer of polygons")
    parser.add_argument("--to", required=True, metavar="REF", help="cells that do not change")
    parser.add_argument("--tolerance", required=True, type=_metres, metavar="METRES",
                        help="greatest width of a strip that may change hands")  # fmt: skip
    parser.add_argument("--out", required=True, metavar="P",
                        help="fitted file; .gpkg .geojson .shp .fgb")  # fmt: skip
    parser.add_argument("--level", help="level of PLAN; the finest where absent")
    parser.add_argument("--to-level", metavar="LEVEL", help="level of REF; the finest where absent")
    _households(parser, datums)
    _layer(parser, "PLAN", datums)
    parser.add_argument("--to-layer", metavar="LAYER", help="layer of REF, where it holds several")
    parser.add_argument("--to-datum", choices=datums, help="datum of REF")


def _households(parser: argparse.ArgumentParser, datums: Sequence[str]) -> None:
    parser.add_argument("--households", metavar="FILE", help="household points: table or layer")
    parser.add_argument("--households-datum", choices=datums, help="datum of the households")


def _layer(parser: argparse.ArgumentParser, name: str, datums: Sequence[str]) -> None:
    parser.add_argument("--layer", help=f"layer of {name}, where it holds several")
    parser.add_argument("--datum", choices=datums, help=f"datum of {name}")


def _metres(text: str) -> float:
    try:
        metres = float(text)
    except ValueError:
        metres = -1.0
    if math.isfinite(metres) and metres >= 0:
        return metres
    msg = f"{text} is no width: give metres from 0 up"
    raise argparse.ArgumentTypeError(msg)
