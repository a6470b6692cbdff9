"""The compiled entry to the loops of the engine: cut a region in two, or improve a board."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import numba
import numpy as np

from geogrid.divide._board import Job, Net, Price, make_board, make_desk
from geogrid.divide._jit import stamped
from geogrid.divide._moves import improve
from geogrid.divide._sweep import cut_region
from geogrid.planar.compiling import can_keep, in_second_process, is_kept

if TYPE_CHECKING:
    from geogrid.divide._board import Board, Desk
    from geogrid.divide._problem import IntArray

__all__ = ["is_ready", "warm", "work"]


@stamped
def work(
    net: Net,
    board: Board,
    desk: Desk,
    rule: Price,
    job: Job,
    nodes: IntArray,
    orders: IntArray,
    chance: IntArray,
) -> int:
    """Do a job; one entry for both kinds, because a second one would compile the search twice."""
    if job.sweeps < 0:
        improve(net, board, desk, rule, job, nodes, chance)
        return 0
    return cut_region(net, board, desk, rule, job, nodes, orders, chance)


@cache
def _signature() -> tuple[Any, ...]:
    """Return the types of the entry's arguments."""
    whole, real = np.zeros(1, dtype=np.int64), np.zeros(1)

    net = Net(whole, whole, real, real, real, real, whole, whole)
    price = Price(*(0.0 for _ in Price._fields))
    job = Job(0, 0, 0, 0, 0, 0, 0, 0, 0.0, 0.0)
    samples = (
        net,
        make_board(1, 1),
        make_desk(1, 1, 1),
        price,
        job,
        whole,
        whole,
        whole.view("u8"),
    )
    return tuple(numba.typeof(sample) for sample in samples)


def is_ready() -> bool:
    """Tell whether the compiled loops are in memory, or read them from disk if they are there."""
    if not work.signatures and is_kept(work, _signature()):
        work.compile(_signature())
    return bool(work.signatures)


def warm() -> None:
    """Get the compiled loops ready; meant for a thread that runs while files are read.

    Compiling holds the interpreter, so it is done in a second process, once after installation;
    this one then only reads the result. Where nothing can be kept on disk, nothing is done.
    """
    if is_ready() or not can_keep(work):
        return
    in_second_process("from geogrid.divide import _kernels as k; k.compile_now()")
    is_ready()


def compile_now() -> None:
    """Compile the loops in this process, or read them from disk."""
    work.compile(_signature())
