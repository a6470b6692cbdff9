"""Writing that either succeeds or leaves nothing behind.

A result appears under its own name only when it is complete: it is written beside its target under
a temporary name, flushed to the disk, then renamed, which the operating system does at once.
"""

from __future__ import annotations

import errno
import os
import secrets
import shutil
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from pyogrio.errors import DataLayerError, DataSourceError

from geogrid.errors import GeogridError, OutputError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["writing", "writing_folder"]

# SQLite may leave these beside a file of which the writing failed.
_SIDECARS = ("-journal", "-wal", "-shm")

_REASONS = {
    errno.ENOSPC: "the disk is full: free some space or choose another folder",
    errno.EDQUOT: "your disk quota is used up: free some space or choose another folder",
    errno.EFBIG: "the file would be larger than allowed here: choose another folder",
    errno.EACCES: "there is no permission to write there: choose another folder",
    errno.EPERM: "there is no permission to write there: choose another folder",
    errno.EROFS: "the disk is read-only: choose another folder",
    errno.EISDIR: "a folder has this name: choose another name",
    errno.ENAMETOOLONG: "the name is too long: choose a shorter one",
}


@contextmanager
def writing(path: str | Path) -> Iterator[Path]:
    """Write one file completely or not at all.

    Parameters
    ----------
    path
        Where the file shall be. A file of this name is replaced, but only on success.

    Yields
    ------
    Path
        A temporary name in the same folder, with the same suffix, to write to.

    Raises
    ------
    OutputError
        If the folder is missing, or writing or renaming fails; nothing is left then.
    """
    target = Path(path)
    _require_folder(target)
    draft = target.with_name(f".{target.stem[:40]}-{secrets.token_hex(4)}{target.suffix}")
    try:
        with _plain_errors(target):
            yield draft
            _flush(draft)
            draft.replace(target)
    finally:
        for suffix in ("", *_SIDECARS):
            draft.with_name(draft.name + suffix).unlink(missing_ok=True)


@contextmanager
def writing_folder(path: str | Path) -> Iterator[Path]:
    """Write several files that belong together (a Shapefile) completely or not at all.

    Parameters
    ----------
    path
        The folder that shall hold them; it is made when missing.

    Yields
    ------
    Path
        A temporary folder to write to; on success its files move to ``path``.

    Raises
    ------
    OutputError
        If writing fails; no new file is left then.
    """
    target = Path(path)
    _require_folder(target)
    draft = target.with_name(f".{target.name[:40]}-{secrets.token_hex(4)}")
    try:
        with _plain_errors(target):
            draft.mkdir()
            yield draft
            target.mkdir(exist_ok=True)
            for file in sorted(draft.iterdir()):
                _flush(file)
            for file in sorted(draft.iterdir()):
                file.replace(target / file.name)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _require_folder(target: Path) -> None:
    if not target.parent.is_dir():
        msg = f"{target} cannot be written: the folder {target.parent} does not exist: make it"
        raise OutputError(msg)


def _flush(file: Path) -> None:
    """Force a file to the disk, so that a full disk shows now and not after the renaming."""
    with file.open("rb+") as handle:
        os.fsync(handle.fileno())


@contextmanager
def _plain_errors(target: Path) -> Iterator[None]:
    try:
        yield
    except GeogridError:
        raise
    except OSError as error:
        reason = _REASONS.get(error.errno or 0) or (error.strerror or str(error))
        msg = f"{target.name} cannot be written: {reason}"
        raise OutputError(msg) from error
    except (DataSourceError, DataLayerError) as error:
        msg = (
            f"{target.name} cannot be written, perhaps the disk is full: "
            f"free some space or choose another folder ({error})"
        )
        raise OutputError(msg) from error
