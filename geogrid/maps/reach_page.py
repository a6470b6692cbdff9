"""A reach without a plan as one HTML page: a picture of all circles, and a table of the stations.

It needs no network and no script, and holds no household point; counts below ten are not written.
"""

from __future__ import annotations

from base64 import b64encode
from html import escape
from typing import TYPE_CHECKING

from geogrid.maps.circle_sheets import SheetFacts, overview_sheet
from geogrid.maps.disclosure import SMALLEST_SHOWN
from geogrid.maps.notes import data_dates, flags, use_text
from geogrid.maps.quality_picture import shown_count
from geogrid.maps.service import limit_label, status_text, walking_text
from geogrid.model.reach import limit_column

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from geogrid.model.extract import OsmExtract
    from geogrid.model.reach import Reach
    from geogrid.model.source import Source

__all__ = ["reach_page"]

_STYLE = """
body { font-family: "Noto Sans CJK SC", "Microsoft YaHei", "PingFang SC", sans-serif;
  color: #1d2329; margin: 1.2rem auto; max-width: 1080px; padding: 0 1rem; }
h1 { font-size: 1.4rem; } img { max-width: 100%; height: auto; }
.flag { background: #fff3d6; border: 1px solid #c98a1b; border-radius: 4px; color: #7a4f00;
  font-size: .95rem; margin-left: .5rem; padding: .1rem .5rem; }
table { border-collapse: collapse; width: 100%; } th, td { border-bottom: 1px solid #d9dee4;
  padding: .3rem .5rem; text-align: left; } td.n, th.n { text-align: right; }
dl { color: #59636e; font-size: .9rem; } dt { float: left; clear: left; margin-right: .6rem;
  font-weight: bold; }
"""


def reach_page(
    reach: Reach,
    *,
    names: Mapping[str, str] | None = None,
    sources: Sequence[Source] = (),
    extract: OsmExtract | None = None,
    told: Mapping[str, str] | None = None,
    map_approval: str = "",
) -> str:
    """Return the page.

    Parameters
    ----------
    reach
        What was measured.
    names
        The name of each station by its identifier.
    sources
        Where map, stations and households came from: dates, and what is estimated or made up.
    extract
        Drawn under the circles.
    told
        What else a reader must know, label by label.
    map_approval
        The approval number of the map (审图号); without it the page says that it is internal.

    Raises
    ------
    OutputError
        If matplotlib or a font with Chinese signs is missing.
    """
    known, listed = names or {}, flags(sources)
    facts = SheetFacts(
        flags=listed,
        date=data_dates(sources) if sources else "",
        is_synthetic=extract is not None and extract.source.is_synthetic,
        map_approval=map_approval,
    )
    picture = b64encode(overview_sheet(reach, facts, extract=extract)).decode("ascii")
    marks = "".join(f'<span class="flag">{escape(flag)}</span>' for flag in listed)
    notes = {**(told or {}), "步行假定": walking_text(reach), "地图审核": use_text(map_approval)}
    terms = "".join(f"<dt>{escape(key)}</dt><dd>{escape(text)}</dd>" for key, text in notes.items())
    return (
        '<!doctype html>\n<html lang="zh-CN"><head><meta charset="utf-8">'
        '<meta http-equiv="Content-Security-Policy" content="default-src \'none\'; '
        "img-src data:; style-src 'unsafe-inline'\">"
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>步行服务圈</title><style>{_STYLE}</style></head><body>"
        f"<h1>步行服务圈{marks}</h1>{_served(reach)}"
        f'<img alt="步行服务圈" src="data:image/png;base64,{picture}">'
        f"{_stations(reach, known)}<dl>{terms}</dl></body></html>\n"
    )


def _label(reach: Reach, limit: float) -> str:
    return limit_label({"minutes" if "minutes" in reach.circles else "metres": limit})


def _served(reach: Reach) -> str:
    total = int(reach.households["households"].sum())
    if not total:
        return "<p>未给出住户。</p>"
    rows = []
    for limit in reach.limits:
        served = reach.served_households(limit)
        text = (
            f"已服务 {served:,} / {total:,} 户（{served / total:.1%}），盲区 {total - served:,} 户"
        )
        for what, count in (("已服务", served), ("盲区", total - served)):
            if 0 < count < SMALLEST_SHOWN:
                # The rest and the share would give it away.
                text = f"{what} {_count(count)} 户"
        rows.append(f"<li>{_label(reach, limit)}：{text}</li>")
    return f"<ul>{''.join(rows)}</ul>"


def _count(count: int) -> str:
    return escape(shown_count(count))


def _stations(reach: Reach, names: Mapping[str, str]) -> str:
    counted = [
        (limit_column(limit, prefix), f"{_label(reach, limit)}{title}")
        for limit in reach.limits
        for prefix, title in (("households", "可达户数"), ("only_here", "关停影响"))
    ]
    counted = counted if len(reach.households) else []
    head = "".join(f'<th class="n">{escape(title)}</th>' for _, title in counted)
    lines = [f"<tr><th>编号</th><th>名称</th><th>状态</th>{head}</tr>"]
    for row in reach.stations.drop(columns="geometry").to_dict("records"):
        status = status_text(row["status"]) + ("，在数据边缘被截断" if row["truncated"] else "")
        texts = [str(row["station"]), names.get(str(row["station"]), ""), status]
        cells = "".join(f"<td>{escape(text)}</td>" for text in texts)
        cells += "".join(f'<td class="n">{_count(int(row[name]))}</td>' for name, _ in counted)
        lines.append(f"<tr>{cells}</tr>")
    return f"<table>{''.join(lines)}</table>"
