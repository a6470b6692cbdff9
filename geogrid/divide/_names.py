"""Names of cells, from the templates of a scheme."""

from __future__ import annotations

import re
import string
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from geogrid.divide._problem import TextArray
    from geogrid.model.scheme import Level

__all__ = ["fill_names", "own_names"]

# A committee's name names its village: 朝阳社区居民委员会 has 朝阳社区3号微网格.
_COMMITTEE = (
    (re.compile(r"村?(村民委员会|村委会)$"), "村"),
    (re.compile(r"(居民委员会|居委会)$"), ""),
    (re.compile(r"(?<=街道)办事处$"), ""),
)


class _Blank(dict[str, object]):
    """Fields of a template; a level that the plan does not have gives no text."""

    def __missing__(self, key: str) -> str:
        return ""


def fill_names(
    level: Level,
    places: Sequence[object],
    codes: Sequence[str],
    *,
    district: str,
    parents: Sequence[str],
    above: Mapping[str, TextArray],
) -> list[str]:
    """Return the name of each cell of a level.

    Parameters
    ----------
    level
        Its ``name_template`` is filled.
    places, codes, parents
        Number, code, and name of the parent of each cell.
    district
        Name of the district.
    above
        By key, name and alias of each coarser level: the name of the cell there.
    """
    used = {name for _, name, _, _ in string.Formatter().parse(level.name_template) if name}
    columns = {name: [_short(text) for text in above[name].tolist()] for name in used & set(above)}
    names = []
    for at, (n, code, parent) in enumerate(zip(places, codes, parents, strict=True)):
        fields = _Blank({name: column[at] for name, column in columns.items()})
        fields.update(n=n, code=code, parent=_short(parent), district=_short(district))
        names.append(level.name_template.format_map(fields))
    return names


def own_names(level: Level, names: Sequence[str]) -> list[str]:
    """Return the names that people gave, and "" for those that the template could have made."""
    parts = [
        re.escape(text) + ("" if field is None else r"\d+" if field == "n" else ".*")
        for text, field, _, _ in string.Formatter().parse(level.name_template)
    ]
    template = re.compile("".join(parts), re.DOTALL)
    return ["" if template.fullmatch(name) else name for name in names]


def _short(name: str) -> str:
    for ending, short in _COMMITTEE:
        name = ending.sub(short, name)
    return name
