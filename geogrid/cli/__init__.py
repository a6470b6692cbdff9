"""The command line: ``geogrid COMMAND …``.

Building the parser must stay cheap, so nothing heavy is imported before a command runs.
"""

from __future__ import annotations

import argparse
import importlib
import os
import sys
from typing import TYPE_CHECKING, NoReturn

from geogrid.cli.coverage_parsers import add_coverage_commands
from geogrid.cli.divide_parsers import add_division_wishes, add_rebalance
from geogrid.cli.exits import BAD_INPUT, STOPPED
from geogrid.cli.reach_parsers import add_reach_commands
from geogrid.cli.site_parser import add_site
from geogrid.errors import GeogridError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["main", "make_parser"]

_DATUMS = ("wgs84", "cgcs2000", "gcj02", "bd09")
_MOST_PORTS = 65535
_MOST_MINUTES = 180


class _Parser(argparse.ArgumentParser):
    """A parser whose complaint is one plain line."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong and where to look, and leave with exit code 2."""
        print(f"geogrid: {message}; see {self.prog} --help", file=sys.stderr)  # noqa: T201 - the terminal
        raise SystemExit(BAD_INPUT)


def make_parser() -> argparse.ArgumentParser:
    """Build the parser of all commands."""
    parser = _Parser(
        prog="geogrid",
        description="Divide a district into nested grids, prove the cover, see who is served. "
        "网格划分、全覆盖证明、党群服务圈。",
        epilog="Exit codes: 0 done and sound, 1 done with findings, 2 bad input.",
    )
    parser.add_argument("--version", action="store_true", help="print the version and stop")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", parser_class=_Parser)
    output = _Parser(add_help=False)
    output.add_argument("--json", action="store_true", help="print one JSON object instead")
    output.add_argument("--quiet", action="store_true", help="print nothing but errors")

    _add_main_commands(commands, output)
    _add_plan_commands(commands, output)
    add_rebalance(lambda name, about: _command(commands, name, about, output), _band)
    add_coverage_commands(lambda name, about: _command(commands, name, about, output), _DATUMS)
    add_reach_commands(
        lambda name, about: _command(commands, name, about, output), _DATUMS, _minutes
    )
    add_site(lambda name, about: _command(commands, name, about, output), _DATUMS, _minutes)
    return parser


def _add_main_commands(commands: argparse._SubParsersAction[_Parser], output: _Parser) -> None:
    """Add what makes plans and circles from files."""
    demo = _command(commands, "demo", "the whole main job on the data that ships, offline", output)
    demo.add_argument("--out", default="geogrid-demo", metavar="DIR", help="folder to write to")
    demo.add_argument(
        "--place", metavar="NAME",
        help="a synthetic place of true size: lusong guangchang liuyang hetang hulin huayang",
    )  # fmt: skip
    demo.add_argument("--limit", metavar="FILE", help="outline of that place")
    demo.add_argument("--datum", choices=_DATUMS, help="datum of the outline")
    demo.add_argument("--seed", type=int, default=0, help="same seed, same place and plan")

    run = _command(commands, "run", "the whole main job on your own files", output)
    _division_inputs(run)
    run.add_argument("--stations", metavar="FILE", help="stations (table or points)")
    run.add_argument("--stations-datum", choices=_DATUMS, help="datum of the stations")
    _walking(run)
    run.add_argument("--out", required=True, metavar="DIR", help="folder to write to")

    divide = _command(commands, "divide", "divide a district into a grid plan", output)
    _division_inputs(divide)
    divide.add_argument("--out", required=True, metavar="PLAN.gpkg", help="plan file to write")

    check = _command(commands, "check", "prove a plan or any polygon layer, or say what is wrong",
                     output)  # fmt: skip
    check.add_argument("plan", metavar="PLAN", help="plan file, or any layer of polygons")
    check.add_argument("--layer", help="layer of polygons, where the file holds several")
    check.add_argument("--limit", metavar="FILE", help="what the cells should cover")
    check.add_argument("--households", metavar="FILE", help="household points to look for")
    check.add_argument("--datum", choices=_DATUMS, help="datum of PLAN")
    check.add_argument(
        "--contract", choices=("area", "household"),
        help="what a layer promises: to cover all ground, or every household once",
    )  # fmt: skip
    check.add_argument("--band", type=_band, metavar="LOW-HIGH", help="households a cell must hold")
    check.add_argument("--parents", metavar="FILE", help="cells above: each cell lies in one")
    check.add_argument(
        "--exceptions", nargs="+", action="extend", default=[], metavar="CODE|FILE",
        help="cells that may span parents, leave the band or be in pieces",
    )  # fmt: skip
    check.add_argument(
        "--report", action="append", default=[], metavar="FILE",
        help="write the findings (.html .xlsx .gpkg .csv .geojson, or plan: into the plan file); "
        "may be given several times",
    )  # fmt: skip


def _add_served_files(serve: argparse.ArgumentParser) -> None:
    serve.add_argument("--osm", metavar="FILE", help="OSM extract for the base map")
    serve.add_argument("--households", metavar="FILE",
                       help="household points of the plan, for edits that cut atoms")  # fmt: skip
    serve.add_argument("--datum", choices=_DATUMS, help="datum of the household points")


def _add_plan_commands(commands: argparse._SubParsersAction[_Parser], output: _Parser) -> None:
    """Add what works on a finished plan, and the rest."""
    map_ = _command(commands, "map", "one self-contained HTML map of a plan", output)
    map_.add_argument("plan", metavar="PLAN", help="plan file")
    map_.add_argument("--osm", metavar="FILE", help="OSM extract for the base map")
    map_.add_argument("--title", help="headline")
    map_.add_argument("--approval", default="", metavar="NO", help="map approval number (审图号)")
    map_.add_argument("--tianditu-key", metavar="KEY", help="add 天地图 tiles with your key")
    map_.add_argument("--osm-tiles", action="store_true", help="add OpenStreetMap's online tiles")
    map_.add_argument("--out", required=True, metavar="M.html", help="file to write")

    _add_number(_command(commands, "number", "codes and names for the cells of a plan", output))

    quality = _command(commands, "quality", "how good a plan is, level by level", output)
    quality.add_argument("plan", metavar="PLAN", help="plan file")
    quality.add_argument("--near", metavar="OLD", help="older plan: who keeps their cell")
    quality.add_argument("--households", metavar="FILE", help="household points, for --near")
    quality.add_argument("--households-datum", choices=_DATUMS, help="datum of the households")
    quality.add_argument("--osm", metavar="FILE", help="OSM extract: buildings and compounds cut")
    quality.add_argument("--compounds", metavar="FILE", help="areas of residential compounds")
    quality.add_argument(
        "--out", action="append", default=[], metavar="Q",
        help="file to write: .json .csv .xlsx .svg .html; may be given several times",
    )  # fmt: skip

    where = _command(commands, "where", "which cells hold a place", output)
    where.add_argument("plan", metavar="PLAN", help="plan file")
    where.add_argument("lon", type=float, help="longitude in degrees")
    where.add_argument("lat", type=float, help="latitude in degrees")
    where.add_argument("--datum", choices=_DATUMS, default="wgs84", help="datum of the place")

    serve = _command(commands, "serve", "see and edit plans in the browser", output)
    serve.add_argument(
        "plan", metavar="PLAN", nargs="?",
        help="plan file that becomes a first version; the demo's where an empty store gets none",
    )  # fmt: skip
    serve.add_argument(
        "--store", metavar="URL",
        help="SQLite file or postgresql://…; a file beside the plan, or in your data folder",
    )  # fmt: skip
    serve.add_argument("--https", action="store_true", help="browsers come by https")
    serve.add_argument("--sign-in", action="store_true", help="nothing is shown without signing in")
    serve.add_argument(
        "--oidc", metavar="FILE.toml",
        help="people may also sign in at another service: issuer, client_id, redirect_uri, roles",
    )  # fmt: skip
    serve.add_argument("--published-only", action="store_true", help="the public sees no drafts")
    _add_served_files(serve)
    serve.add_argument("--tianditu-key", metavar="KEY", default="",
                       help="offer 天地图 tiles under the cells with your key")  # fmt: skip
    serve.add_argument("--host", default="127.0.0.1", help="address to listen on")
    serve.add_argument("--port", type=_port, default=8000, help="port; 0 takes a free one")

    store = _command(commands, "store", "keep the store of a service (数据库维护)", output)
    store.add_argument(
        "action", choices=("check", "backup", "password"),
        help="prove what is stored again; copy it while it is in use; a new password",
    )  # fmt: skip
    store.add_argument("store", metavar="STORE", help="SQLite file or postgresql://…")
    store.add_argument(
        "value", nargs="?", metavar="COPY|NAME", help="file of the copy; name of the account"
    )
    store.add_argument("--all", action="store_true", help="check every version, not the newest")

    fetch = _command(commands, "fetch", "fetch a place from OpenStreetMap into files", output)
    fetch.add_argument("--place", required=True, help="name, from small to large")
    fetch.add_argument("--out", required=True, metavar="DIR", help="folder to write to")
    fetch.add_argument("--overpass-url", metavar="URL", help="Overpass service to ask")
    fetch.add_argument("--nominatim-url", metavar="URL", help="Nominatim service to ask")
    fetch.add_argument("--retries", type=int, default=3, help="tries after the first")

    schemes = _command(commands, "schemes", "the schemes that ship, or one of them", output)
    schemes.add_argument("--toml", action="store_true", help="print the file, to copy and change")
    schemes.add_argument("action", nargs="?", choices=("list", "show"), default="list")
    schemes.add_argument("name", nargs="?", help="scheme to show, or a file")


def _add_number(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("plan", metavar="PLAN", help="plan file")
    parser.add_argument("--out", required=True, metavar="P.gpkg", help="plan file to write")
    parser.add_argument("--preset", choices=("geogrid", "bj15", "cjt349-20"),
                        help="how codes are built (below)")  # fmt: skip
    parser.add_argument("--prefix", metavar="CODE", help="code of the district, in front of all")
    parser.add_argument("--near", metavar="OLD", help="plan file whose codes are kept: what is "
                        "still there keeps its code, what is new gets the next one, and no "
                        "retired code comes back")  # fmt: skip
    parser.add_argument("--object-code", metavar="DIGITS", help="six digits in front (cjt349-20)")
    parser.add_argument("--width", action="append", default=[], metavar="LEVEL=DIGITS",
                        help="digits a level adds, where not the scheme's")  # fmt: skip
    parser.add_argument("--restart", action="store_true",
                        help="number afresh a plan that has retired codes")  # fmt: skip
    parser.epilog = (
        "geogrid: own default, no standard: the code above, then the scheme's digits. "
        "bj15: 6+3+3+3, Beijing DB11 on unit grids; cjt349-20: 6+6+3+3+2, CJ/T 349-2010. Of both "
        "only an excerpt was seen, not the standard, so neither is claimed to conform. The text "
        "of GB/T 34300-2017 was not seen. Cells are read from west to east, then north to south, "
        "inside their parent (从西向东、由北至南)."
    )


def _command(
    commands: argparse._SubParsersAction[_Parser],
    name: str,
    about: str,
    output: _Parser,
) -> argparse.ArgumentParser:
    return commands.add_parser(name, help=about, description=about, parents=[output])


def _division_inputs(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--limit", required=True, metavar="FILE", help="polygon of the district")
    parser.add_argument("--limit-name", metavar="NAME", help="which areas of that file")
    parser.add_argument("--limit-layer", metavar="LAYER", help="which layer of that file")
    parser.add_argument("--datum", choices=_DATUMS, help="datum of the limit")
    parser.add_argument("--osm", required=True, metavar="FILE", help="OSM extract")
    parser.add_argument("--households", metavar="FILE", help="table or points; else estimated")
    parser.add_argument("--households-datum", choices=_DATUMS, help="datum of the households")
    parser.add_argument(
        "--column", action="append", default=[], metavar="WHAT=HEADER",
        help="column of the households: lon, lat, x, y, households, household_id, compound, "
        "building, entrance, floor or merchants",
    )  # fmt: skip
    parser.add_argument("--scheme", default="huayang", metavar="NAME|FILE", help="levels and bands")
    parser.add_argument("--seed", type=int, default=0, help="same seed, same plan")
    add_division_wishes(parser)


def _walking(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--minutes", type=_minutes, nargs="+", default=[5, 15],
                        help="limits to walk")  # fmt: skip
    parser.add_argument(
        "--preset", choices=("adult", "elder", "gb50180"), help="how minutes become metres"
    )


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command.

    Returns
    -------
    int
        0 done and sound, 1 done with findings, 2 bad input (one line on standard error).
    """
    for stream in (sys.stdout, sys.stderr):
        # A Windows console in code page 936 cannot show every sign; it must not stop the work.
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="replace")
    parser = make_parser()
    options = parser.parse_args(argv)
    if options.version:
        print(importlib.import_module("importlib.metadata").version("geogrid"))  # noqa: T201
        return 0
    if options.command is None:
        parser.print_help()
        return BAD_INPUT
    try:
        commands = importlib.import_module("geogrid.cli.commands")
        code: int = commands.run(options)
        sys.stdout.flush()
    except GeogridError as error:
        print(f"geogrid: {error}", file=sys.stderr)  # noqa: T201 - the terminal
        return BAD_INPUT
    except KeyboardInterrupt:
        print("geogrid: stopped", file=sys.stderr)  # noqa: T201 - the terminal
        return STOPPED
    except BrokenPipeError:
        # Whoever read the output has enough of it; nothing may be written at exit either.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return code


def _port(text: str) -> int:
    if text.isascii() and text.isdigit() and int(text) <= _MOST_PORTS:
        return int(text)
    msg = f"{text} is no port: give a number from 0 to {_MOST_PORTS}"
    raise argparse.ArgumentTypeError(msg)


def _band(text: str) -> tuple[int | None, int | None]:
    low, dash, high = text.partition("-")
    ends = [None if not end else int(end) if end.isdecimal() else -1 for end in (low, high)]
    if dash and any(end is not None for end in ends) and -1 not in ends:
        return ends[0], ends[1]
    msg = f"{text} is no band of households: write it as 300-500, 300- or -500"
    raise argparse.ArgumentTypeError(msg)


def _minutes(text: str) -> float:
    try:
        minutes = float(text)
    except ValueError:
        minutes = 0.0
    if 0 < minutes <= _MOST_MINUTES:
        return minutes
    msg = f"{text} minutes cannot be walked: give a number up to {_MOST_MINUTES}"
    raise argparse.ArgumentTypeError(msg)
