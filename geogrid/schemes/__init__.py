"""Schemes as data: how places divide themselves, one TOML file each.

Copy the nearest one (``geogrid schemes show NAME --toml > mine.toml``), change it, and give its
path wherever a scheme is asked for. Faults are reported with their line.

A file has ``key``, ``title``, ``source``, ``assumptions`` (what no text states), ``notes`` (figures
that disagree), then one ``[[level]]`` table a level, coarse to fine:

==================  ==============================================================================
``key``             small ASCII letters; the layer of the plan file
``name, aliases``   Chinese name and other names, each used once
``locked``          true: an administrative level, whose cells are official and given from outside
``contract``        ``area``, ``household`` or ``roster``; an area level lies above the others
``count``           how many cells the text states in all
``households``      ``{ low, high, hard, assumption }``; either end may be missing
``one_to_one``      key of the level above, of which each cell has exactly one here
``kinds``           names, or ``{ name, in_balance, may_span_parents, counts, count }``; ``counts``
                    is ``"households"`` or ``"merchants"`` (counted per cell and written into
                    the plan; bands and balance are of households, so no merchant moves a border);
                    the first kind is the ordinary one
``code_width``      digits that a cell adds to the code above it
``name_template``   ``{parent} {n} {code} {district}`` and the names of coarser levels
``head_title``      title of the person in charge
==================  ==============================================================================

``[[exception]]`` tables name single cells that may do what others may not: ``code``, ``allows``
(``spans_parents``, ``out_of_band``, ``multipart``), ``reason``.
"""

from __future__ import annotations

from difflib import get_close_matches
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from geogrid.errors import InputError, MissingFileError
from geogrid.schemes._reader import parse_scheme

if TYPE_CHECKING:
    from geogrid.model.scheme import Scheme

__all__ = ["load", "names", "text"]


def names() -> tuple[str, ...]:
    """Return the names of the schemes that ship, sorted."""
    files = resources.files(__name__).iterdir()
    return tuple(sorted(file.name[: -len(".toml")] for file in files if _is_scheme(file.name)))


def load(name_or_path: str | Path) -> Scheme:
    """Read a scheme that ships, or a TOML file of your own.

    Parameters
    ----------
    name_or_path
        One of :func:`names`, or a path.

    Raises
    ------
    MissingFileError
        If it is neither.
    InputError
        If the file is no sound scheme; the message names the line.
    """
    return parse_scheme(text(name_or_path), file=_file_name(name_or_path))


def text(name_or_path: str | Path) -> str:
    """Return the TOML text of a scheme, to copy and change.

    Raises
    ------
    MissingFileError
        If there is no such scheme and no such file.
    InputError
        If the file is not UTF-8 text.
    """
    shipped = names()
    if str(name_or_path) in shipped:
        file = resources.files(__name__) / f"{name_or_path}.toml"
        return file.read_text(encoding="utf-8")
    path = Path(name_or_path)
    if not path.is_file():
        near = get_close_matches(str(name_or_path).lower(), shipped, n=1)
        guess = f" (did you mean {near[0]}?)" if near else ""
        msg = (
            f"there is no scheme {name_or_path}{guess}: give one of {', '.join(shipped)} or the "
            f"path of a TOML file（没有这个方案）"
        )
        raise MissingFileError(msg)
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        msg = f"{path.name} is not UTF-8 text: save it as UTF-8（请另存为 UTF-8 编码）"
        raise InputError(msg) from error


def _file_name(name_or_path: str | Path) -> str:
    shipped = str(name_or_path) in names()
    return f"{name_or_path}.toml" if shipped else Path(name_or_path).name


def _is_scheme(name: str) -> bool:
    return name.endswith(".toml")
