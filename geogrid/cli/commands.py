"""Which function runs which command.

Each is imported when it is called for: checking a file must not wait for what draws maps.
"""

from __future__ import annotations

import gc
from importlib import import_module
from typing import TYPE_CHECKING

from geogrid.cli.terminal import Terminal

if TYPE_CHECKING:
    from argparse import Namespace

__all__ = ["COMMANDS", "run"]

COMMANDS = {
    "demo": "job_commands.demo",
    "run": "job_commands.run",
    "divide": "job_commands.divide",
    "rebalance": "divide_commands.rebalance_command",
    "check": "check_command.check",
    "repair": "coverage_commands.repair_command",
    "compare": "coverage_commands.compare_command",
    "unify": "coverage_commands.unify_command",
    "align": "coverage_commands.align_command",
    "quality": "quality_command.quality",
    "circles": "reach_commands.circles",
    "why": "reach_commands.why",
    "links": "reach_commands.links",
    "site": "site_command.site",
    "map": "plan_commands.draw_map",
    "number": "number_command.number_command",
    "where": "plan_commands.where",
    "serve": "plan_commands.serve",
    "store": "store_command.store_command",
    "fetch": "source_commands.fetch",
    "schemes": "source_commands.list_schemes",
}


def run(options: Namespace) -> int:
    """Run the command that ``options`` name and return its exit code."""
    module, _, name = COMMANDS[options.command].partition(".")
    terminal = Terminal(as_json=options.json, quiet=options.quiet)
    # What is imported stays: looking through it for garbage would only take time.
    gc.disable()
    try:
        command = getattr(import_module(f"geogrid.cli.{module}"), name)
    finally:
        gc.freeze()
        gc.enable()
    code: int = command(options, terminal)
    return code
