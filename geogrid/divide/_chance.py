"""Chance for the engine: splitmix64, the same numbers compiled or not, on every machine.

Plain Python has no 64-bit wrap-around and numba no long integers, so the one step that needs them
is written twice; a test holds both to the same numbers.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba.extending import overload

from geogrid.planar.compiling import inner

__all__ = ["begin", "draw", "pick", "shuffle"]

_STEP = 0x9E3779B97F4A7C15
_MIX_1 = 0xBF58476D1CE4E5B9
_MIX_2 = 0x94D049BB133111EB
_MASK = 0xFFFFFFFFFFFFFFFF
# 53 bits fill the fraction of a float64.
_TO_UNIT = 1.0 / 9007199254740992.0


def _mix(state: int) -> int:
    one = ((state ^ (state >> 30)) * _MIX_1) & _MASK
    two = ((one ^ (one >> 27)) * _MIX_2) & _MASK
    return two ^ (two >> 31)


def begin(*seed: int) -> list[int]:
    """Return a state that depends on every number of ``seed``."""
    state = 0
    for number in seed:
        state = _mix((state + _STEP + number) & _MASK)
    return [state]


def draw(state: Any) -> float:  # noqa: ANN401 - a list, or an array where compiled
    """Return the next number in [0, 1) and step the state."""
    state[0] = (int(state[0]) + _STEP) & _MASK
    return (_mix(int(state[0])) >> 11) * _TO_UNIT


@overload(draw)  # type: ignore[untyped-decorator] # numba publishes no types
def _compiled_draw(state: Any) -> Any:  # noqa: ANN401, ARG001 - numba passes types
    step, mix_1, mix_2 = np.uint64(_STEP), np.uint64(_MIX_1), np.uint64(_MIX_2)
    s11, s27, s30, s31 = np.uint64(11), np.uint64(27), np.uint64(30), np.uint64(31)
    to_unit = _TO_UNIT

    def step_on(state: Any) -> Any:  # noqa: ANN401
        state[0] += step
        one = (state[0] ^ (state[0] >> s30)) * mix_1
        two = (one ^ (one >> s27)) * mix_2
        return ((two ^ (two >> s31)) >> s11) * to_unit

    return step_on


@inner
def pick(state: Any, count: int) -> int:  # noqa: ANN401 - a list, or an array where compiled
    """Return a whole number from 0 to ``count - 1``."""
    return int(draw(state) * count)


@inner
def shuffle(state: Any, values: Any, count: int) -> None:  # noqa: ANN401 - a list, or an array where compiled
    """Put the first ``count`` values in a random order."""
    for at in range(count - 1, 0, -1):
        to = pick(state, at + 1)
        kept = values[at]
        values[at] = values[to]
        values[to] = kept
