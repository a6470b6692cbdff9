"""The options of dividing and rebalancing; nothing heavy is imported."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

__all__ = ["add_division_wishes", "add_rebalance"]


def add_division_wishes(parser: argparse.ArgumentParser) -> None:
    """Add what a division is asked to keep."""
    parser.add_argument(
        "--upper", action="append", default=[], metavar="LEVEL=FILE",
        help="official cells of a level: polygons, or a table of seats (code, name, lon, lat)",
    )  # fmt: skip
    parser.add_argument(
        "--count", action="append", default=[], metavar="LEVEL=N",
        help="exactly how many cells of a level in the whole district",
    )  # fmt: skip
    parser.add_argument("--special", metavar="FILE",
                        help="special areas (专属网格): polygons with kind, name")  # fmt: skip
    parser.add_argument("--groups", metavar="FILE",
                        help="villagers' groups (村民小组): polygons with code")  # fmt: skip
    parser.add_argument("--near", metavar="OLD", help="plan file to stay as near to as can be")
    parser.add_argument("--lock", metavar="FILE",
                        help="polygons with code: what lies in one stays in one cell")  # fmt: skip


def add_rebalance(
    command: Callable[[str, str], argparse.ArgumentParser],
    band: Callable[[str], tuple[int | None, int | None]],
) -> None:
    """Add rebalance."""
    parser = command("rebalance", "bring cells into their band, moving the fewest households")
    parser.add_argument("plan", metavar="PLAN", help="plan file")
    parser.add_argument("--out", required=True, metavar="P.gpkg", help="plan file to write")
    parser.add_argument("--level", help="level; the finest with a band where absent")
    parser.add_argument("--band", type=band, metavar="LOW-HIGH", help="households per cell")
    parser.add_argument("--lock", nargs="+", default=[], metavar="CODE",
                        help="cells that nothing enters or leaves")  # fmt: skip
