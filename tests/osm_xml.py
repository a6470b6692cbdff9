"""Tiny OpenStreetMap files, written by hand for tests."""

from __future__ import annotations

from xml.sax.saxutils import quoteattr

__all__ = ["osm_xml", "rectangle"]

# A quiet corner of Zhuzhou; one step of a node's grid is about 10 m.
LON, LAT, STEP = 113.14, 27.83, 0.0001


def _tags(tags):
    return "".join(f"<tag k={quoteattr(key)} v={quoteattr(tags[key])}/>" for key in tags)


def rectangle(first, column, row, *, width=4, height=4):
    """Return four nodes ``{id: (column, row)}`` and the closed list of their ids."""
    corners = [(0, 0), (width, 0), (width, height), (0, height)]
    nodes = {first + i: (column + dx, row + dy) for i, (dx, dy) in enumerate(corners)}
    return nodes, [*nodes, first]


def osm_xml(nodes, ways=(), relations=(), *, points=(), nodes_last=False):
    """Return the text of a file.

    ``nodes`` maps ids to grid places, ``points`` holds (id, tags) of nodes that carry tags,
    ``ways`` (id, node ids, tags), ``relations`` (id, [(way id, role)], tags).
    """
    said = dict(points)
    node_text = "".join(
        f'<node id="{key}" lon="{LON + x * STEP:.7f}" lat="{LAT + y * STEP:.7f}">'
        f"{_tags(said.get(key, {}))}</node>"
        for key, (x, y) in nodes.items()
    )
    way_text = "".join(
        f'<way id="{key}">' + "".join(f'<nd ref="{n}"/>' for n in refs) + f"{_tags(tags)}</way>"
        for key, refs, tags in ways
    )
    relation_text = "".join(
        f'<relation id="{key}">'
        + "".join(f'<member type="way" ref="{way}" role="{role}"/>' for way, role in members)
        + f"{_tags(tags)}</relation>"
        for key, members, tags in relations
    )
    parts = (way_text, node_text) if nodes_last else (node_text, way_text)
    return '<osm version="0.6">' + "".join(parts) + relation_text + "</osm>"
