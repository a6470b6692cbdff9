"""A temporary folder beside a result."""

from __future__ import annotations

import tempfile
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from geogrid.errors import OutputError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["scratch_beside"]


@contextmanager
def scratch_beside(file: Path) -> Iterator[Path]:
    """Open a temporary folder on the same disk, so that files can be moved out of it at once.

    Folders that had to be made for it are removed again when nothing comes to lie in them.

    Raises
    ------
    OutputError
        If no folder can be made there.
    """
    made: list[Path] = []
    try:
        try:
            _make_folders(file.parent, made)
            folder = tempfile.TemporaryDirectory(prefix=".fetch-", dir=file.parent)
        except OSError as error:
            msg = f"cannot write into {file.parent}: choose another folder"
            raise OutputError(msg) from error
        with folder as name:
            yield Path(name)
    finally:
        for empty in reversed(made):
            # One that holds files now is not empty, and stays.
            with suppress(OSError):
                empty.rmdir()


def _make_folders(folder: Path, made: list[Path]) -> None:
    """Make a folder and those above it, listing the new ones, the outermost first."""
    absent = [one for one in (folder, *folder.parents) if not one.exists()]
    for one in reversed(absent):
        one.mkdir()
        made.append(one)
