"""The exact search: siting as a mixed-integer programme for HiGHS.

HiGHS is called through highspy and not through ``scipy.optimize.milp``, because only there can it
begin from a good answer, tell its progress, and be stopped by the user.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import highspy
import numpy as np
from scipy.sparse import coo_array

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from geogrid.stations._cover import Cover

    IntArray = NDArray[np.int64]
    RealArray = NDArray[np.float64]

__all__ = ["Found", "Model", "all_model", "capacity_model", "optimise", "plain_model"]

# Every objective here is a whole number, so bounds that are nearer than one settle it.
_WHOLE = 0.999


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """``maximise cost @ x`` with ``row_lower <= rows @ x <= row_upper``.

    Attributes
    ----------
    cost, lower, upper
        Of each column; the first ``whole`` columns are candidates, and whole numbers.
    rows
        Row, column and factor of each entry.
    row_lower, row_upper
        Limits of each row.
    is_known_well
        Whether greedy and exchange leave HiGHS little to find.
    """

    cost: RealArray
    lower: RealArray
    upper: RealArray
    whole: int
    rows: tuple[IntArray, IntArray, RealArray]
    row_lower: RealArray
    row_upper: RealArray
    is_known_well: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What the exact search ends with: the chosen candidates, if any, and a bound."""

    chosen: IntArray | None
    bound: float


def plain_model(cover: Cover, *, most: int | None, target: int | None, fewest: int = 0) -> Model:
    """Model stations without a capacity.

    A class has one column a level of worth, 1 when some chosen candidate is worth that much to it:
    one level where all that counts is being served.

    Parameters
    ----------
    most
        Greatest number of candidates; their worth is maximised.
    target
        Worth to reach instead, with as few candidates as possible, but no fewer than ``fewest``.
    """
    m = cover.candidates
    value = cover.sites.value[cover.sites.by_pair]
    of_class = np.repeat(np.arange(cover.classes), np.diff(cover.sites.by_start))
    order = np.lexsort((cover.sites.by_candidate, -value, of_class))
    value, of_class, candidate = value[order], of_class[order], cover.sites.by_candidate[order]
    is_first = np.ones(len(value), dtype=np.bool_)
    is_first[1:] = of_class[1:] != of_class[:-1]
    is_new = is_first.copy()
    is_new[1:] |= value[1:] != value[:-1]
    level = np.cumsum(is_new) - 1
    head = np.flatnonzero(is_new)
    count = len(head)
    follows = np.flatnonzero(~is_first[head])
    below = np.zeros(count, dtype=np.int64)
    below[follows - 1] = value[head[follows]]
    worth = ((value[head] - below) * cover.sites.weight[of_class[head]]).astype(float)
    own = m + np.arange(count)
    row = np.concatenate([np.arange(count), follows, level])
    column = np.concatenate([own, own[follows - 1] if len(follows) else follows, candidate])
    factor = np.concatenate([np.ones(count), np.full(len(follows) + len(level), -1.0)])
    limits = np.full(count, -np.inf), np.zeros(count)
    return _finish(m, worth, (row, column, factor), limits, (most, target, fewest))


def all_model(cover: Cover, *, fewest: int) -> Model:
    """Model the fewest candidates that serve every class: each needs one of its own.

    This is stronger than a row for the sum of all households, and most of it goes in presolve.
    """
    m, classes = cover.candidates, cover.classes
    row = np.repeat(np.arange(classes), np.diff(cover.sites.by_start))
    row = np.append(row, np.full(m, classes))
    column = np.append(cover.sites.by_candidate, np.arange(m))
    return Model(
        cost=np.full(m, -1.0),
        lower=np.zeros(m),
        upper=np.ones(m),
        whole=m,
        rows=(row, column, np.ones(len(row))),
        row_lower=np.append(np.ones(classes), fewest),
        row_upper=np.full(classes + 1, np.inf),
        is_known_well=False,
    )


def capacity_model(
    cover: Cover,
    room: int,
    fixed: IntArray,
    *,
    most: int | None,
    target: int | None,
    fewest: int = 0,
) -> Model:
    """Model stations that serve at most ``room`` households; those in ``fixed`` are open."""
    m, pairs, classes = cover.candidates, len(cover.sites.item), cover.classes
    station = np.repeat(np.arange(m), np.diff(cover.sites.start))
    own = m + np.arange(pairs)
    weight = cover.sites.weight[cover.sites.item].astype(float)
    link = classes + m + np.arange(pairs)
    row = np.concatenate([cover.sites.item, classes + station, classes + np.arange(m), link, link])
    column = np.concatenate([own, own, np.arange(m), own, station])
    factor = np.concatenate(
        [np.ones(2 * pairs), np.full(m, -float(room)), np.ones(pairs), -np.minimum(weight, room)]
    )
    upper = np.concatenate([cover.sites.weight.astype(float), np.zeros(m + pairs)])
    limits = np.full(len(upper), -np.inf), upper
    model = _finish(
        m, np.ones(pairs), (row, column, factor), limits, (most, target, fewest),
        high=weight, held=len(fixed),
    )  # fmt: skip
    model.lower[fixed] = 1.0
    return model


def _finish(
    m: int,
    worth: RealArray,
    rows: tuple[IntArray, IntArray, RealArray],
    limits: tuple[RealArray, RealArray],
    wanted: tuple[int | None, int | None, int],
    *,
    high: RealArray | None = None,
    held: int = 0,
) -> Model:
    """Add the row that counts stations and, where a worth is to be reached, that of the worth."""
    most, target, fewest = wanted
    row, column, factor = rows
    low, up = limits
    own, count, more = np.arange(len(worth)) + m, len(low), np.arange(m)
    row, column = np.append(row, np.full(m, count)), np.append(column, more)
    factor = np.append(factor, np.ones(m))
    low = np.append(low, fewest + held)
    up = np.append(up, np.inf if most is None else most + held)
    cost = np.append(np.zeros(m), worth)
    if target is not None:
        row, column = np.append(row, np.full(len(own), count + 1)), np.append(column, own)
        factor = np.append(factor, worth)
        low, up = np.append(low, target), np.append(up, np.inf)
        cost = np.append(np.full(m, -1.0), np.zeros(len(worth)))
    return Model(
        cost=cost,
        lower=np.zeros(len(cost)),
        upper=np.append(np.ones(m), np.ones(len(worth)) if high is None else high),
        whole=m,
        rows=(row, column, factor),
        row_lower=low,
        row_upper=up,
        is_known_well=target is None and high is None,
    )


def optimise(
    model: Model,
    *,
    begin: IntArray,
    time_limit_s: float,
    seed: int,
    step: Callable[[float, float, float], None],
) -> Found:
    """Search for a best answer, beginning from the candidates ``begin``.

    Parameters
    ----------
    time_limit_s
        Seconds after which the best answer and bound so far are returned.
    seed
        Same seed, same search.
    step
        Called now and then with seconds, best answer and bound. What it raises stops the search.
    """
    solver = highspy.Highs()  # type: ignore[no-untyped-call] # it has none
    options = {
        # Without output there is no progress either; nothing is written to the terminal.
        "output_flag": True,
        "log_to_console": False,
        "time_limit": float(time_limit_s),
        "random_seed": seed,
        "threads": 1,
        "mip_abs_gap": _WHOLE,
        "mip_rel_gap": 0.0,
        # A known answer of this kind is hard to better: the time goes into the bound.
        "mip_heuristic_effort": 0.0 if model.is_known_well else 0.05,
    }
    for name, value in options.items():
        solver.setOptionValue(name, value)
    solver.passModel(_program(model))
    chosen = np.zeros(model.whole)
    chosen[begin] = 1.0
    solver.setSolution(model.whole, np.arange(model.whole, dtype=np.int32), chosen)
    raised = _listen(solver, step)
    solver.run()
    if raised:
        raise raised[0]
    info = solver.getInfo()
    if info.primal_solution_status != highspy.SolutionStatus.kSolutionStatusFeasible:
        return Found(chosen=None, bound=float(info.mip_dual_bound))
    values = np.asarray(solver.getSolution().col_value)[: model.whole]
    best = np.flatnonzero(values > 0.5).astype(np.int64)  # noqa: PLR2004 - nearer to one than to none
    return Found(chosen=best, bound=float(info.mip_dual_bound))


def _listen(
    solver: highspy.Highs, step: Callable[[float, float, float], None]
) -> list[BaseException]:
    """Hand progress on; whatever is raised meanwhile is kept, because HiGHS cannot carry it."""
    raised: list[BaseException] = []

    def tell(event: Any) -> None:  # noqa: ANN401 - highspy does not export the type
        facts = event.data_out
        try:
            step(facts.running_time, facts.mip_primal_bound, facts.mip_dual_bound)
        except BaseException as error:  # noqa: BLE001 - raised again after the run
            raised.append(error)

    def stop(event: Any) -> None:  # noqa: ANN401 - highspy does not export the type
        if raised:
            event.interrupt()

    solver.cbMipLogging += tell
    solver.cbMipInterrupt += stop
    return raised


def _program(model: Model) -> highspy.HighsLp:
    count = len(model.row_lower)
    row, column, factor = model.rows
    rows = coo_array((factor, (row, column)), shape=(count, len(model.cost))).tocsr()
    program = highspy.HighsLp()
    program.num_col_, program.num_row_ = len(model.cost), count
    program.sense_ = highspy.ObjSense.kMaximize
    program.col_cost_, program.col_lower_, program.col_upper_ = (
        model.cost, model.lower, model.upper,
    )  # fmt: skip
    program.row_lower_, program.row_upper_ = model.row_lower, model.row_upper
    program.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
    program.a_matrix_.start_ = rows.indptr
    program.a_matrix_.index_ = rows.indices
    program.a_matrix_.value_ = rows.data
    kinds = highspy.HighsVarType
    rest = len(model.cost) - model.whole
    program.integrality_ = [kinds.kInteger] * model.whole + [kinds.kContinuous] * rest
    return program
