"""Tables as text for the terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

__all__ = ["as_text"]

_CODES_SHOWN = 3
_DECIMALS = {"area_m2": 2, "width_m": 3}


def as_text(rows: pd.DataFrame, columns: Mapping[str, str], *, most: int) -> str:
    """Return the first rows as a table.

    Parameters
    ----------
    rows
        The rows; numbers stand on the right.
    columns
        Header of each column that is shown, in order.
    most
        How many rows are shown; a last line says how many there are besides.
    """
    table = Table(show_edge=False, pad_edge=False)
    for name, title in columns.items():
        is_number = rows[name].dtype.kind in "iuf"
        table.add_column(title, justify="right" if is_number else "left", no_wrap=is_number)
    shown = rows.head(most)
    for values in zip(*(shown[name] for name in columns), strict=True):
        table.add_row(*(_text(name, value) for name, value in zip(columns, values, strict=True)))
    console = Console(highlight=False, markup=False)
    with console.capture() as capture:
        console.print(table)
    text = capture.get().rstrip("\n")
    more = len(rows) - len(shown)
    return f"{text}\n另有 {more} 行 more" if more > 0 else text


def _text(name: str, value: object) -> str:
    if isinstance(value, float):
        return f"{value:,.{_DECIMALS.get(name, 2)}f}"
    if isinstance(value, tuple | list):
        codes = ", ".join(map(str, value[:_CODES_SHOWN]))
        return codes + (" …" if len(value) > _CODES_SHOWN else "")
    return str(value)
