"""Nothing that a user can call is missing from the README."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from geogrid.api.app import create_app
from geogrid.cli import make_parser

ROOT = Path(__file__).resolve().parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")


def commands():
    parser = make_parser()
    chosen = next(a for a in parser._actions if isinstance(a, argparse._SubParsersAction))  # noqa: SLF001
    return chosen.choices


def test_every_command_is_in_the_readme():
    for name in commands():
        assert f"geogrid {name}" in README, name


def test_the_readme_names_no_command_that_does_not_exist():
    for line in README.splitlines():
        if line.startswith("| `geogrid "):
            assert line.split()[2].strip("`") in commands(), line


def test_every_file_that_ships_has_its_licence_named():
    listed = (ROOT / "data" / "README.md").read_text(encoding="utf-8")
    for file in (ROOT / "data").rglob("*"):
        if file.is_file() and file.name != "README.md":
            assert str(file.relative_to(ROOT / "data")) in listed, file
    limit = json.loads((ROOT / "data/helsinki/limit.geojson").read_text(encoding="utf-8"))
    assert "no administrative limit" in limit["features"][0]["properties"]["note"]


def test_the_factory_of_the_service_is_importable():
    assert create_app.__doc__
