"""Raw Overpass answers to an extract."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import osmium
from osmium.osm import Box, Location
from osmium.osm.mutable import Node, Relation, Way

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

__all__ = ["Answers", "read_answers", "write_extract"]

_LETTER = {"node": "n", "way": "w", "relation": "r"}


@dataclass(frozen=True, slots=True)
class Answers:
    """The objects of several answers, each once, by id."""

    nodes: dict[int, dict[str, Any]] = field(default_factory=dict)
    ways: dict[int, dict[str, Any]] = field(default_factory=dict)
    relations: dict[int, dict[str, Any]] = field(default_factory=dict)
    timestamps: set[str] = field(default_factory=set)

    @property
    def timestamp(self) -> str:
        """The oldest time of the map data among the answers, empty when none says."""
        return min(self.timestamps, default="")


def read_answers(files: Iterable[Path]) -> Answers:
    """Gather the objects of answers kept as JSON files; other files are passed over."""
    answers = Answers()
    kinds = {"node": answers.nodes, "way": answers.ways, "relation": answers.relations}
    for file in sorted(files):
        answer = json.loads(file.read_text(encoding="utf-8"))
        if not isinstance(answer, dict) or "elements" not in answer:
            continue
        if stamp := answer.get("osm3s", {}).get("timestamp_osm_base", ""):
            answers.timestamps.add(stamp)
        for element in answer["elements"]:
            if element["type"] in kinds:
                kinds[element["type"]].setdefault(element["id"], element)
    return answers


def write_extract(answers: Answers, path: Path, *, box: tuple[float, float, float, float]) -> None:
    """Write objects sorted by kind and id, without anything about who drew them.

    Parameters
    ----------
    answers
        What to write.
    path
        The new file; its ending tells the format.
    box
        West, south, east, north in degrees: the area that the extract is to hold.
    """
    header = osmium.io.Header()
    header.set("generator", "geogrid")
    if answers.timestamp:
        header.set("osmosis_replication_timestamp", answers.timestamp)
    west, south, east, north = box
    header.add_box(Box(Location(west, south), Location(east, north)))
    with osmium.SimpleWriter(str(path), header=header) as writer:
        for key, node in sorted(answers.nodes.items()):
            place = (node["lon"], node["lat"])
            writer.add_node(Node(id=key, location=place, tags=node.get("tags", {})))
        for key, way in sorted(answers.ways.items()):
            writer.add_way(Way(id=key, nodes=way.get("nodes", []), tags=way.get("tags", {})))
        for key, relation in sorted(answers.relations.items()):
            members = [
                (_LETTER[member["type"]], member["ref"], member.get("role", ""))
                for member in relation.get("members", [])
            ]
            writer.add_relation(Relation(id=key, members=members, tags=relation.get("tags", {})))
