"""Chinese text in files that do not say, or say wrongly, how it is encoded."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Iterable

    import geopandas as gpd

__all__ = ["ENCODINGS", "decode_table", "repair_mojibake"]

ENCODINGS = ("utf-8", "gb18030", "gbk", "big5")

# Text is believed to be in an encoding when so much of what is not ASCII becomes usual characters.
# The rest may be values that were cut in the middle of a character.
_USUAL_SHARE = 0.8

_REPLACED = "\ufffd"


def repair_mojibake(frame: gpd.GeoDataFrame) -> tuple[gpd.GeoDataFrame, str]:
    """Decode text that was read as Latin-1 because its file names no encoding.

    Returns
    -------
    tuple
        The table, and the encoding found: empty when nothing was repaired.
    """
    columns = [name for name in frame.columns if pd.api.types.is_string_dtype(frame[name])]
    texts = [str(name) for name in frame.columns]
    for name in columns:
        texts.extend(frame[name].dropna().drop_duplicates().astype(str))
    encoding = _hidden_encoding(texts)
    if not encoding:
        return frame, ""
    repaired = frame.copy()
    for name in columns:
        repaired[name] = [
            value if pd.isna(value) else _reread(str(value), encoding) for value in frame[name]
        ]
    return repaired.rename(columns={name: _reread(str(name), encoding) for name in frame}), encoding


def decode_table(raw: bytes) -> tuple[str, str] | None:
    """Decode the bytes of a text table; ``None`` when no encoding fits.

    Returns
    -------
    tuple or None
        The text and the encoding it was in.
    """
    marks = {b"\xef\xbb\xbf": "utf-8-sig", b"\xff\xfe": "utf-16", b"\xfe\xff": "utf-16"}
    marked = [name for mark, name in marks.items() if raw.startswith(mark)]
    for encoding in (*marked, "utf-8", "gb18030"):
        try:
            return raw.decode(encoding), encoding
        except UnicodeDecodeError:
            continue
    return None


def _hidden_encoding(texts: Iterable[str]) -> str:
    """Return the encoding that turns Latin-1 characters into usual text, if any."""
    raw = [_latin1(text) for text in texts if not text.isascii()]
    known = b"\n".join(piece for piece in raw if piece is not None)
    if not known:
        return ""
    as_utf8 = [char for char in known.decode("utf-8", "replace") if not char.isascii()]
    if _share(as_utf8, [char != _REPLACED for char in as_utf8]):
        return "utf-8"
    as_gb = [char for char in known.decode("gb18030", "replace") if not char.isascii()]
    # Latin-1 letters stand between ASCII ones and so make rare characters; GB 2312 has the usual.
    if _share(as_gb, [_is_gb2312(char) for char in as_gb]):
        return "gb18030"
    return ""


def _share(chars: list[str], usual: list[bool]) -> bool:
    return bool(chars) and sum(usual) >= _USUAL_SHARE * len(chars)


def _is_gb2312(char: str) -> bool:
    try:
        char.encode("gb2312")
    except UnicodeEncodeError:
        return False
    return True


def _latin1(text: str) -> bytes | None:
    try:
        return text.encode("latin1")
    except UnicodeEncodeError:
        return None


def _reread(text: str, encoding: str) -> str:
    raw = _latin1(text)
    return text if raw is None else raw.decode(encoding, "replace")
