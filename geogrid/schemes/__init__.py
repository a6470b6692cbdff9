"""Schemes as data: how places divide themselves, one TOML file each.

A scheme file has ``key``, ``title`` and ``source``, then one ``[[level]]`` table a level, coarse
to fine, with the fields of :class:`geogrid.model.scheme.Level`; ``households`` is a table
``{ low, high, hard, assumption }`` in which either end may be missing.
"""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from geogrid.errors import InputError, MissingFileError
from geogrid.schemes._reader import parse_scheme

if TYPE_CHECKING:
    from geogrid.model.scheme import Scheme

__all__ = ["load", "names"]


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
    shipped = names()
    if str(name_or_path) in shipped:
        file = resources.files(__name__) / f"{name_or_path}.toml"
        return parse_scheme(file.read_text(encoding="utf-8"), file=file.name)
    path = Path(name_or_path)
    if not path.is_file():
        msg = (
            f"there is no scheme {name_or_path}: give one of {', '.join(shipped)} or the path of "
            f"a TOML file"
        )
        raise MissingFileError(msg)
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        msg = f"{path.name} is not UTF-8 text: save it as UTF-8"
        raise InputError(msg) from error
    return parse_scheme(text, file=path.name)


def _is_scheme(name: str) -> bool:
    return name.endswith(".toml")
