"""Writing that either succeeds or leaves nothing behind.

A result appears under its own name only when it is complete: it is written beside its target under
a temporary name, flushed to the disk, then renamed, which the operating system does at once.
"""

from __future__ import annotations

import errno
import os
import secrets
import shutil
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from pyogrio.errors import DataLayerError, DataSourceError

from geogrid.errors import GeogridError, OutputError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["require_suffix", "writing", "writing_folder"]

# A full disk shows when this much more is written to it.
_PROBE_BYTES = 1024**2

# SQLite may leave these beside a file of which the writing failed.
_SIDECARS = ("-journal", "-wal", "-shm")

_IS_FOLDER = "a folder has this name: choose another name"
_REASONS = {
    errno.ENOSPC: "the disk is full: free some space or choose another folder",
    errno.EDQUOT: "your disk quota is used up: free some space or choose another folder",
    errno.EFBIG: "the file would be larger than allowed here: choose another folder",
    errno.EACCES: "there is no permission to write there: choose another folder",
    errno.EPERM: "there is no permission to write there: choose another folder",
    errno.EROFS: "the disk is read-only: choose another folder",
    errno.EISDIR: _IS_FOLDER,
    errno.ENOENT: "no file can be made there: choose another folder",
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
    if _require_folder(target):
        raise _refusal(target, _IS_FOLDER)
    draft = target.with_name(f".{target.stem[:40]}-{secrets.token_hex(4)}{target.suffix}")
    try:
        with _plain_errors(target, draft):
            yield draft
            _flush(draft)
            draft.replace(target)
    finally:
        for suffix in ("", *_SIDECARS):
            # Where nothing can be made, nothing can be removed: the first error tells all.
            with suppress(OSError):
                draft.with_name(draft.name + suffix).unlink()


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
        with _plain_errors(target, draft):
            draft.mkdir()
            yield draft
            target.mkdir(exist_ok=True)
            for file in sorted(draft.iterdir()):
                _flush(file)
            for file in sorted(draft.iterdir()):
                file.replace(target / file.name)
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def _require_folder(target: Path) -> bool:
    """Refuse a target in no folder; tell whether it is a folder itself."""
    try:
        is_there, is_folder = target.parent.is_dir(), target.is_dir()
    except OSError as error:
        raise _refusal(target, _reason(error)) from error
    if not is_there:
        raise _refusal(target, f"the folder {target.parent} does not exist: make it")
    return is_folder


def _flush(file: Path) -> None:
    """Force a file to the disk, so that a full disk shows now and not after the renaming."""
    with file.open("rb+") as handle:
        os.fsync(handle.fileno())


@contextmanager
def _plain_errors(target: Path, draft: Path) -> Iterator[None]:
    try:
        yield
    except GeogridError:
        raise
    except OSError as error:
        raise _refusal(target, _reason(error)) from error
    except (DataSourceError, DataLayerError) as error:
        raise _refusal(target, _probe(target, draft, str(error))) from error


def _probe(target: Path, draft: Path, said: str) -> str:
    """Find out why a library could not write: it says less than the operating system does."""
    try:
        with (draft / "probe" if draft.is_dir() else draft).open("ab") as handle:
            handle.write(bytes(_PROBE_BYTES))
            os.fsync(handle.fileno())
    except OSError as error:
        return _reason(error)
    if "full" in said:
        # SQLite says so; meanwhile it has given back what it had taken.
        return "perhaps the disk is full: free some space or choose another folder"
    return f"choose another name or folder ({said.replace(str(draft), str(target))})"


def _reason(error: OSError) -> str:
    return _REASONS.get(error.errno or 0) or error.strerror or str(error)


def _refusal(target: Path, reason: str) -> OutputError:
    return OutputError(f"{target} cannot be written: {reason}")


def require_suffix(path: Path, suffixes: Sequence[str], *, what: str) -> None:
    """Refuse a name that a result cannot have, before the work.

    Raises
    ------
    OutputError
        If the suffix is unknown, or openpyxl is missing and a workbook is wanted.
    """
    suffix = path.suffix.lower()
    if suffix not in suffixes:
        msg = f"{what} cannot be written as {path.name}: use {' or '.join(suffixes)}"
        raise OutputError(msg)
    if suffix == ".xlsx":
        try:
            import openpyxl  # noqa: F401, PLC0415 - an optional dependency
        except ImportError as error:
            msg = "writing Excel needs openpyxl: pip install geogrid[excel], or use .gpkg"
            raise OutputError(msg) from error
