"""Commands about who can walk where."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from geogrid.cli.exits import FINDINGS, SOUND
from geogrid.io.plan_file import write_reach
from geogrid.io.tables import read_households, read_stations
from geogrid.walking import WalkNetwork
from geogrid.workflow import require_near

if TYPE_CHECKING:
    from argparse import Namespace

    from geogrid.cli.terminal import Terminal

__all__ = ["circles"]


def circles(options: Namespace, terminal: Terminal) -> int:
    """Draw the service circles of stations."""
    out = Path(options.out)
    with terminal.stages() as stage:
        stage("reading")
        network = WalkNetwork.from_osm(Path(options.osm))
        stations = read_stations(
            Path(options.stations), crs=network.crs, datum=options.stations_datum
        )
        households = None
        if options.households:
            households = read_households(
                Path(options.households), crs=network.crs, datum=options.households_datum
            ).frame
        require_near(network, stations.frame, what="stations")
        if households is not None:
            require_near(network, households, what="households")
        stage("walking")
        reach = network.reach(
            stations.frame,
            minutes=tuple(options.minutes),
            preset=options.preset,
            households=households,
        )
        stage("writing")
        write_reach(reach, out)
    off = reach.stations[reach.stations["status"].astype(str) == "off_network"]
    total = int(reach.households["households"].sum()) if households is not None else 0
    served = {f"{limit:g}": reach.served_households(limit) for limit in reach.limits}
    values = {
        "stations": len(reach.stations),
        "off_network": off["station"].tolist(),
        "rejected": len(stations.rejected),
        "households": total,
        "served": served,
        "assumptions": dict(reach.assumptions),
        "files": {"circles": str(out)},
    }
    terminal.result(values)
    terminal.say(f"服务站 stations: {values['stations']}，服务圈 circles: {out}")
    if total:
        for limit, count in served.items():
            terminal.say(f"{limit} 分钟 min: {count} / {total} 户 ({count / total:.1%})")
    terminal.off_network(off, stations.frame)
    for note in stations.notes:
        terminal.say(f"注 note: {note}")
    return FINDINGS if len(off) or len(stations.rejected) else SOUND
