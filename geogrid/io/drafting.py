"""Several files that belong together: all of them appear, or none does."""

from __future__ import annotations

import os
import tempfile
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from geogrid.errors import InputError, OutputError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

__all__ = ["drafting", "require_apart"]


@contextmanager
def drafting() -> Iterator[Callable[[Path], Path]]:
    """Write files under drafted names; they get their own names together, at the end.

    Yields
    ------
    callable
        Gives for each target a path of the same name in a hidden folder beside it. Whatever is
        in that folder at the end (all parts of a Shapefile) moves beside the target.

    Raises
    ------
    OutputError
        If a folder is missing or cannot be written to; no file has changed then.
    """
    folders: dict[Path, Path] = {}
    with ExitStack() as stack:

        def draft_of(target: Path) -> Path:
            home = target.parent.resolve()
            if home not in folders:
                folders[home] = Path(stack.enter_context(_hidden_folder(home)))
            return folders[home] / target.name

        try:
            yield draft_of
            _move_all(folders)
        except OutputError as error:
            raise OutputError(_without_drafts(str(error), folders)) from error
        except OSError as error:
            if isinstance(error, InputError):
                raise
            home = next(iter(folders), Path.cwd())
            raise _refusal(home, error) from error


def require_apart(outputs: Iterable[Path], inputs: Iterable[Path]) -> None:
    """Refuse to write over what is read, and to write two results to one file.

    Raises
    ------
    OutputError
        Naming the file.
    """
    read = {path.resolve() for path in inputs}
    written: set[Path] = set()
    for path in outputs:
        place = path.resolve()
        if place in read:
            msg = f"{path} is read by this command and would be overwritten: give another name"
            raise OutputError(msg)
        if place in written:
            msg = f"{path} is named for two results: give them different names"
            raise OutputError(msg)
        written.add(place)


def _hidden_folder(home: Path) -> tempfile.TemporaryDirectory[str]:
    if not home.is_dir():
        msg = f"the folder {home} does not exist: make it"
        raise OutputError(msg)
    try:
        return tempfile.TemporaryDirectory(prefix=".geogrid-", dir=home)
    except OSError as error:
        raise _refusal(home, error) from error


def _move_all(folders: dict[Path, Path]) -> None:
    moves = [(file, home / file.name) for home, draft in folders.items() for file in _files(draft)]
    for _, target in moves:
        if target.is_dir():
            msg = f"{target} cannot be written: a folder has this name, choose another name"
            raise OutputError(msg)
    for file, target in moves:
        os.replace(file, target)  # noqa: PTH105 - replaces an existing file


def _files(folder: Path) -> list[Path]:
    return sorted(file for file in folder.iterdir() if file.is_file())


def _without_drafts(text: str, folders: dict[Path, Path]) -> str:
    """Name the user's folder where a writer names the hidden one."""
    for home, draft in folders.items():
        text = text.replace(str(draft), str(home))
    return text


def _refusal(home: Path, error: OSError) -> OutputError:
    reason = error.strerror or str(error)
    return OutputError(f"nothing can be written to {home} ({reason}): choose another folder")
