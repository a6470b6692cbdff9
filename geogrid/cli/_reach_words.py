"""What the commands about walking print."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from geogrid.cli.tables import as_text
from geogrid.model.reach import limit_column
from geogrid.vocabulary import StationStatus
from geogrid.walking.pace import PRESETS

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import geopandas as gpd

    from geogrid.cli._reach_inputs import ReachInputs
    from geogrid.cli.terminal import Terminal
    from geogrid.model.reach import Reach
    from geogrid.stations.links import LinkPlan

__all__ = ["reach_facts", "say_links", "say_reach", "station_rows"]

_MOST_ROWS = 20
_DIRECTIONS = {
    "to_station": "由住户走向服务站 to the station",
    "from_station": "由服务站走向住户 from the station",
}


def reach_facts(reach: Reach, inputs: ReachInputs) -> dict[str, str]:
    """Return what a reader must know of a reach, label by label."""
    facts = reach.assumptions
    pace = PRESETS.get(str(facts["preset"]))
    speed = f"{facts['speed_kmh']:g} km/h" if facts["speed_kmh"] else ""
    limits = "、".join(_limit(reach, limit) for limit in reach.limits)
    metres = "、".join(f"{metres:g} m" for metres in facts["limits_m"])
    how = "，".join(
        part for part in (pace.title_zh if pace else "", speed, f"{limits} = {metres}") if part
    )
    synthetic = "合成数据 synthetic" if inputs.extract.source.is_synthetic else ""
    estimated = "估算户数 estimated households" if inputs.is_estimated else ""
    told = {
        "步行 walking": how,
        "依据 standing": pace.note if pace else "",
        "方向 direction": _DIRECTIONS[str(facts["direction"])],
        "离路网 off network": f"> {facts['max_snap_m']:g} m",
        "计入站点 tiers": str(facts["tiers"] or "各级站点均计 every tier"),
        "坡度 ground": str(facts["ground"]),
        "数据日期 data date": str(facts["data_date"] or "未注明 unknown"),
        "来源 source": str(facts["attribution"]),
        "数据性质 standing of data": "，".join(part for part in (synthetic, estimated) if part),
    }
    return {label: text for label, text in told.items() if text}


def station_rows(stations: gpd.GeoDataFrame, reach: Reach) -> list[dict[str, Any]]:
    """Return the stations as plain JSON values, the heaviest load first."""
    columns = ["station", "name", "status", "truncated", "households"]
    columns += [
        limit_column(limit, prefix)
        for limit in reach.limits
        for prefix in ("households", "nearest", "only_here")
    ]
    table = pd.DataFrame(stations[columns]).sort_values(
        ["households", "station"], ascending=[False, True]
    )
    return [
        {str(key): _plain(value) for key, value in row.items()} for row in table.to_dict("records")
    ]


def _plain(value: Any) -> Any:  # noqa: ANN401 - a cell of a table
    return value.item() if isinstance(value, np.generic) else value


def say_reach(
    terminal: Terminal,
    reach: Reach,
    stations: gpd.GeoDataFrame,
    rankings: Mapping[str, tuple[gpd.GeoDataFrame, pd.DataFrame]],
    values: Mapping[str, Any],
) -> None:
    """Print stations, who is served, rankings, and all that a reader must know."""
    terminal.say(f"服务站 stations: {values['stations']}")
    if values["households"]:
        terminal.say(_stations_text(reach, values))
        for line in _served_lines(reach, values):
            terminal.say(line)
    for key, (_, ranking) in rankings.items():
        _say_ranking(terminal, reach, key, ranking)
    for label, text in values["facts"].items():
        terminal.say(f"{label}: {text}")
    off = stations[stations["status"] == StationStatus.OFF_NETWORK.value]
    terminal.off_network(off, stations)
    for line in _warnings(values):
        terminal.say(line)
    for path in values["files"].values():
        terminal.say(f"文件 file: {path}")


def _stations_text(reach: Reach, values: Mapping[str, Any]) -> str:
    titles = {"station": "编号\nstation", "name": "名称\nname"}
    for limit in reach.limits:
        titles[limit_column(limit, "households")] = f"{_limit(reach, limit)}可达\nin reach"
    # What the smaller limits say of the nearest and the only station is in the files.
    titles[limit_column(reach.limits[-1], "nearest")] = "就近\nnearest"
    titles[limit_column(reach.limits[-1], "only_here")] = "关停影响\nonly here"
    return as_text(pd.DataFrame(values["stations_list"]), titles, most=_MOST_ROWS)


def _served_lines(reach: Reach, values: Mapping[str, Any]) -> Iterator[str]:
    flag = "（估算 estimated）" if values["is_estimated"] else ""
    total = values["households"]
    for row in values["limits"]:
        yield (
            f"{_limit(reach, row['limit'])}: 已服务 served {row['served']} / {total} 户{flag} "
            f"({row['share']:.1%})，盲区 unserved {row['unserved']} 户"
        )
    yield f"重叠 reached by several stations: {values['overlapping']} 户"


def _say_ranking(terminal: Terminal, reach: Reach, key: str, ranking: pd.DataFrame) -> None:
    cells = ranking["code"].nunique()
    limit = reach.limits[-1]
    rows = ranking[ranking["limit"] == limit]
    name = ranking.attrs.get("level_name", key)
    terminal.say(f"各{name}服务覆盖率排名 share served, {_limit(reach, limit)}（{cells} 个 cells）")
    shown = rows.assign(share=[_percent(value) for value in rows["share"]])
    columns = {
        "rank": "名次\nrank", "code": "网格\ncell", "name": "名称\nname",
        "households": "户数\nhouseholds", "served": "已服务\nserved",
        "unserved": "盲区\nunserved", "share": "覆盖率\nshare",
    }  # fmt: skip
    terminal.say(as_text(shown, columns, most=_MOST_ROWS))
    worst = rows[rows["unserved"] > 0].sort_values(["unserved", "code"], ascending=[False, True])
    if len(worst):
        first = "、".join(
            f"{name} {count} 户"
            for name, count in zip(worst["name"].head(5), worst["unserved"].head(5), strict=True)
        )
        terminal.say(f"盲区最多 most unserved: {first}")
    outside = ranking.attrs.get("outside", 0)
    if outside:
        terminal.say(f"注 note: {outside} 户不在任何网格内 households are in no cell of {key}")


def _percent(share: float) -> str:
    return "—" if np.isnan(share) else f"{share:.1%}"


def _warnings(values: Mapping[str, Any]) -> Iterator[str]:
    cut = values["truncated"]
    if cut:
        names = "、".join(cut[:_MOST_ROWS]) + (" …" if len(cut) > _MOST_ROWS else "")
        yield (
            f"注 note: {len(cut)} 个服务站的服务圈在路网数据边缘被截断 circles are cut off at the "
            f"rim of the map, take a larger extract: {names}"
        )
    if values["off_network_households"]:
        count = values["off_network_households"]
        yield f"注 note: {count} 户离路网过远，计为盲区 households off the network, unserved"
    for note in values["notes"]:
        yield f"注 note: {note}"
    if "households" in values["files"]:
        yield (
            "注 note: 住户明细含个人位置信息，不得外传 the list of households is personal data: "
            "do not share it"
        )


def say_links(
    terminal: Terminal, found: Mapping[float, LinkPlan], values: Mapping[str, Any]
) -> None:
    """Print the links of each limit."""
    flag = "（估算 estimated）" if values["is_estimated"] else ""
    titles = {
        "rank": "序号\nrank", "kind_zh": "类型\nkind", "newly_served": "新增户数\nnewly served",
        "cumulative": "累计\ncumulative", "length_m": "长度\nlength m", "saved_m": "节省\nsaved m",
        "place": "位置\nlon lat",
    }  # fmt: skip
    for plan in found.values():
        unit = "分钟 min" if plan.unit == "minutes" else "米 m"
        terminal.say(
            f"步行 {plan.limit:g} {unit}: 已服务 served {plan.served_before} → "
            f"{plan.served_after} / {plan.total} 户{flag}"
        )
        if plan.links.empty:
            terminal.say("没有能增加服务户数的连线 no link would bring anybody into reach")
            continue
        middle = plan.links.geometry.interpolate(0.5, normalized=True)
        middle = middle if plan.links.crs is None else middle.to_crs(4326)
        table = pd.DataFrame(plan.links.drop(columns="geometry")).assign(
            length_m=plan.links["length_m"].round().astype(int),
            place=[f"{x:.5f} {y:.5f}" for x, y in zip(middle.x, middle.y, strict=True)],
            saved_m=["∞" if np.isinf(m) else f"{m:.0f}" for m in plan.links["saved_m"]],
        )
        terminal.say(as_text(table, titles, most=_MOST_ROWS))
    for label, text in values["facts"].items():
        terminal.say(f"{label}: {text}")
    for note in values["notes"]:
        terminal.say(f"注 note: {note}")
    for path in values["files"].values():
        terminal.say(f"文件 file: {path}")


def _limit(reach: Reach, limit: float) -> str:
    return f"{limit:g}分钟" if "minutes" in reach.circles else f"{limit:g}米"
