"""A quality report as one HTML page: the picture, and the cells that stand out."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

from geogrid.maps.quality_picture import draw_quality, shown_count
from geogrid.model.quality_words import (
    METRICS,
    compound_rows,
    notes_zh,
    out_of_band_rows,
    piece_rows,
)

if TYPE_CHECKING:
    import pandas as pd

    from geogrid.model.quality import LevelQuality, QualityReport
    from geogrid.model.quality_words import Metric

__all__ = ["quality_page"]

_MOST_ROWS = 500
_HOUSEHOLDS = "户数 households"
# Figures that are counts of households: small ones are not written.
_COUNTS = ("least", "most", "floor_households")

_STYLE = """
body{margin:16px auto;max-width:1280px;padding:0 12px;color:#1f2933;
font:14px/1.5 'Noto Sans CJK SC','Source Han Sans SC','Microsoft YaHei','PingFang SC',sans-serif}
svg{width:100%;height:auto}h2{font-size:17px;margin:24px 0 8px}
.wide{overflow-x:auto}table{border-collapse:collapse}
th,td{border-bottom:1px solid #d9dee4;padding:4px 12px 4px 0;vertical-align:top}
th,td{text-align:left}
th.number,td.number{text-align:right;font-variant-numeric:tabular-nums}small{color:#5b6773}
@media print{.wide{overflow:visible}h2{break-after:avoid}tr{break-inside:avoid}}
"""


def quality_page(report: QualityReport, *, title: str = "") -> str:
    """Return the page as text: one file that needs no network and holds no script.

    Counts of one to nine households are not written as numbers.

    Parameters
    ----------
    report
        The report.
    title
        Headline; made from the district's name where absent.
    """
    name = title or f"{report.district or '本区'}网格质量"
    policy = "default-src 'none'; style-src 'unsafe-inline'"
    sections = [
        _section("各层级指标", _metrics(report)),
        _section("户数超限的网格", _table(_public(out_of_band_rows(report)))),
        _section("不连片的网格", _table(piece_rows(report))),
        _section("跨网格的小区", _table(compound_rows(report))),
    ]
    remarks = "".join(f"<li>{html.escape(note)}</li>" for note in notes_zh(report))
    notes = f"<h2>说明</h2><ul>{remarks}</ul>" if remarks else ""
    return (
        '<!DOCTYPE html><html lang="zh-CN"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        '<meta name="viewport" content="width=device-width,initial-scale=1">'
        f"<title>{html.escape(name)}</title><style>{_STYLE}</style></head><body>"
        f"{draw_quality(report, title=title)}{''.join(sections)}{notes}</body></html>\n"
    )


def _section(title: str, table: str) -> str:
    return f'<h2>{html.escape(title)}</h2><div class="wide">{table}</div>' if table else ""


def _metrics(report: QualityReport) -> str:
    heads = "".join(f'<th class="number">{html.escape(level.name)}</th>' for level in report.levels)
    rows = [
        f"<tr><td>{metric.zh} <small>{metric.en}</small></td>"
        + "".join(
            f'<td class="number">{html.escape(_shown(metric, level))}</td>'
            for level in report.levels
        )
        + "</tr>"
        for metric in METRICS
    ]
    return f"<table><tr><th>指标</th>{heads}</tr>{''.join(rows)}</table>"


def _shown(metric: Metric, level: LevelQuality) -> str:
    value = metric.of(level)
    return shown_count(value) if metric.key in _COUNTS and value is not None else metric.text(level)


def _public(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.assign(**{_HOUSEHOLDS: [shown_count(count) for count in rows[_HOUSEHOLDS]]})


def _table(rows: pd.DataFrame) -> str:
    if rows.empty:
        return ""
    heads = "".join(f"<th>{html.escape(str(name))}</th>" for name in rows.columns)
    lines = [
        "<tr>" + "".join(f"<td>{html.escape(str(value))}</td>" for value in row) + "</tr>"
        for row in rows.head(_MOST_ROWS).itertuples(index=False)
    ]
    more = len(rows) - _MOST_ROWS
    rest = f"<p>另有 {more} 行，见 Excel 表。</p>" if more > 0 else ""
    return f"<table><tr>{heads}</tr>{''.join(lines)}</table>{rest}"
