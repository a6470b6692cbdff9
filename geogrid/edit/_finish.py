"""From a draft to an edit: codes, lists, polygons, proofs, and what changed."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from geogrid.coverage import verify_plan
from geogrid.edit._codes import new_history
from geogrid.edit._derive import (
    derive_level,
    new_atoms,
    new_cells,
    new_labels,
    new_members,
    new_table,
    positions,
)
from geogrid.edit._draft import members_name
from geogrid.edit._prove import (
    digest_name,
    is_base,
    known_digest,
    prove_level,
    require_connected,
    with_limit,
)
from geogrid.edit._rosters import settle_rosters
from geogrid.edit._settle import settle
from geogrid.edit.change import CellChange, Change, LevelChange, band_state
from geogrid.vocabulary import Contract

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    import geopandas as gpd
    import pandas as pd

    from geogrid.edit._derive import LevelDraft
    from geogrid.edit._draft import Draft
    from geogrid.edit._settle import Settled
    from geogrid.model.plan import GridPlan
    from geogrid.model.report import Certificate
    from geogrid.model.scheme import Level

    Lists = tuple[dict[str, pd.DataFrame], dict[str, gpd.GeoSeries]]
    SettleLists = Callable[[Draft, Settled], Lists]

__all__ = ["finish", "proven"]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Derived:
    """The area levels after an edit."""

    levels: tuple[LevelDraft, ...]
    cells: Mapping[str, gpd.GeoDataFrame]
    kept: Mapping[str, object]
    certificate: Certificate


def proven(plan: GridPlan) -> GridPlan:
    """Return a plan that carries a certificate of itself, as edits need to go on from.

    A certificate whose digests are not those of the cells speaks of another plan: it is made anew.
    """
    certificate = plan.certificate
    cells = {level.key: plan.cells(level.key) for level in plan.scheme.area_levels}
    if certificate is not None:
        told = {proof.level: proof.digest for proof in certificate.levels}
        if all(told.get(key) == known_digest(plan, key, table) for key, table in cells.items()):
            return plan
    made = replace(plan, certificate=verify_plan(plan).certificate)
    for key, table in cells.items():
        made.keep_cells(key, table)
        made.keep(digest_name(key), plan.recalled(digest_name(key)))
    return made


def finish(
    draft: Draft,
    *,
    named: Mapping[str, object],
    reserved: Iterable[str] = (),
    allow_disconnected: bool = False,
    settle_lists: SettleLists = settle_rosters,
) -> tuple[GridPlan, Change]:
    """Return the new plan and what changed.

    Parameters
    ----------
    named
        What the version of the new plan is named after, besides the version before and the proof.
    reserved
        Codes that were used in versions that were undone.
    settle_lists
        Says which list each household is in now.

    Raises
    ------
    EditError
        If the edit is not allowed, or its proof fails.
    """
    settled = settle(draft, reserved)
    rosters, shapes = settle_lists(draft, settled)
    plan = draft.plan
    table = new_table(plan, settled)
    derived = _derive(draft, settled, table, allow_disconnected=allow_disconnected)
    change = _change(draft, settled, derived, rosters)
    if change.is_empty:
        return plan, change
    version = _version(plan, derived.certificate, named)
    edited = replace(
        plan,
        district=replace(plan.district, limit=draft.limit)
        if draft.limit is not plan.atoms.limit
        else plan.district,
        atoms=new_atoms(draft),
        labels=new_labels(draft),
        cell_table=table,
        rosters=rosters,
        shapes=shapes,
        certificate=derived.certificate,
        version=version,
        parent_version=plan.version,
        code_history=new_history(plan, settled),
    )
    if not is_base(plan):
        # What was not proven before cannot be carried on: the whole plan is looked at.
        edited = replace(edited, certificate=verify_plan(edited).certificate)
    for key, cells in derived.cells.items():
        edited.keep_cells(key, cells)
    for name, found in derived.kept.items():
        edited.keep(name, found)
    return edited, change


def _version(plan: GridPlan, certificate: Certificate, named: Mapping[str, object]) -> str:
    digests = [proof.digest for proof in certificate.levels]
    text = json.dumps([plan.version, digests, named], sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _derive(
    draft: Draft, settled: Settled, table: pd.DataFrame, *, allow_disconnected: bool
) -> _Derived:
    """Draw and prove the levels, fine to coarse."""
    plan = draft.plan
    certificate = plan.certificate
    carried = is_base(plan)
    proofs = {} if certificate is None else {proof.level: proof for proof in certificate.levels}
    cells: dict[str, gpd.GeoDataFrame] = {}
    kept: dict[str, object] = {}
    levels: list[LevelDraft] = []
    below: gpd.GeoDataFrame | None = None
    for level in reversed(draft.levels):
        one = derive_level(draft, level, plan.cells(level.key), below)
        if not allow_disconnected:
            require_connected(one)
        cells[level.key] = below = new_cells(draft, settled, one, table)
        name = digest_name(level.key)
        proofs[level.key], running = prove_level(draft, one, proofs[level.key])
        kept[name] = running or plan.recalled(name)
        kept[f"{name}:text"] = proofs[level.key].digest
        kept[members_name(level.key)] = new_members(draft, one)
        levels.insert(0, one)
    if certificate is not None and carried:
        certificate = replace(
            certificate, levels=tuple(proofs[level.key] for level in draft.levels)
        )
        if draft.limit is not plan.atoms.limit:
            certificate = with_limit(certificate, draft.limit)
    if certificate is None:  # pragma: no cover - callers have proven the plan
        msg = "an edit starts from a plan with a certificate"
        raise AssertionError(msg)
    return _Derived(levels=tuple(levels), cells=cells, kept=kept, certificate=certificate)


def _change(
    draft: Draft, settled: Settled, derived: _Derived, rosters: Mapping[str, pd.DataFrame]
) -> Change:
    levels, touched = [], {}
    for one in derived.levels:
        level, touch = _level_change(draft, settled, one, derived.cells[one.level.key])
        touched[one.level.key] = touch
        if level is not None:
            levels.append(level)
    for listed_level in draft.plan.scheme.levels:
        codes = _list_codes(draft, settled, listed_level)
        if codes:
            touched[listed_level.key] = codes
            levels.append(_list_change(draft, settled, listed_level, codes, rosters))
    order = {level.key: at for at, level in enumerate(draft.plan.scheme.levels)}
    notes = list(draft.notes)
    if draft.estimated:
        notes.append(
            f"{draft.estimated} households live in atoms that were cut or redrawn, and no points "
            f"say where: they stay with the largest piece （户数为估算，未按住户点重新落位）"
        )
    if draft.limit_nodes:
        notes.append(
            f"the district's limit got {draft.limit_nodes} new nodes, which bends it by less than "
            f"a millimetre there （区划边界新增节点）"
        )
    return Change(
        levels=tuple(sorted(levels, key=lambda one: order[one.level])),
        estimated_households=draft.estimated,
        atoms_cut=len(draft.cut),
        atoms_redrawn=len(draft.redrawn),
        limit_nodes=draft.limit_nodes,
        notes=tuple(notes),
        touched=touched,
        reached=_reached(draft, settled),
    )


def _reached(draft: Draft, settled: Settled) -> dict[str, frozenset[str]]:
    """Return the cells of each level in which anything changed, an atom or a finer cell."""
    rows = [draft.changed_rows(level.key) for level in draft.levels]
    every = np.unique(np.concatenate((*rows, draft.listed_on)))
    found = {
        level.key: {
            *draft.base[level.key][draft.origin[every]].tolist(),
            *draft.labels[level.key][every].tolist(),
        }
        for level in draft.levels
    }
    for code in settled.changed:
        key = _level_of(draft, code)
        level = next((one for one in draft.levels if one.key == key), None)
        if level is None:
            continue
        own = draft.rows_in(key, code)
        for above in draft.coarser(level):
            found[above.key] |= set(draft.labels[above.key][own].tolist())
    return {key: frozenset(codes) for key, codes in found.items()}


def _list_codes(draft: Draft, settled: Settled, level: Level) -> frozenset[str]:
    if level.contract is Contract.AREA:
        return frozenset()
    own = {code for code, facts in settled.added.items() if facts.level == level.key}
    own |= {code for code, key in settled.retired.items() if key == level.key}
    levels = draft.plan.cell_table["level"]
    own |= {code for code in settled.changed if code in levels.index and levels[code] == level.key}
    return frozenset(own)


def _list_change(
    draft: Draft,
    settled: Settled,
    level: Level,
    codes: frozenset[str],
    rosters: Mapping[str, pd.DataFrame],
) -> LevelChange:
    moved = 0
    cells: tuple[CellChange, ...] = ()
    was, now = draft.plan.rosters[level.key], rosters[level.key]
    if level.key in draft.lists or codes & draft.facts.keys():
        cells = _list_cells(level, codes, _counted(was, codes), _counted(now, codes))
    if level.key in draft.lists:
        is_moved = was["code"].to_numpy(object) != draft.lists[level.key]
        moved = int(was["households"].to_numpy()[is_moved].sum())
    return LevelChange(
        level=level.key,
        name=level.name,
        cells=cells,
        atoms_moved=0,
        households_moved=moved,
        new=tuple(sorted(c for c, facts in settled.added.items() if facts.level == level.key)),
        retired=tuple(sorted(c for c, key in settled.retired.items() if key == level.key)),
        recoded=tuple(sorted(settled.recoded.get(level.key, {}).items())),
    )


def _counted(members: pd.DataFrame, codes: frozenset[str]) -> dict[str, int]:
    own = members[members["code"].isin(codes)]
    return {str(code): int(held) for code, held in own.groupby("code")["households"].sum().items()}


def _list_cells(
    level: Level, codes: frozenset[str], before: Mapping[str, int], after: Mapping[str, int]
) -> tuple[CellChange, ...]:
    return tuple(
        CellChange(
            code=code, before=before.get(code), after=after.get(code),
            band_before=band_state(before.get(code), level.band, is_judged=True),
            band_after=band_state(after.get(code), level.band, is_judged=True),
            is_redrawn=False,
        )
        for code in sorted(codes)
    )  # fmt: skip


def _level_change(
    draft: Draft, settled: Settled, one: LevelDraft, cells: gpd.GeoDataFrame
) -> tuple[LevelChange | None, frozenset[str]]:
    key = one.level.key
    facts = {code for code in settled.changed if _level_of(draft, code) == key}
    codes = sorted({*one.before, *one.after, *facts})
    if not codes:
        return None, frozenset()
    before, after = _facts(one.old, codes), _facts(cells, codes)
    redrawn = {*one.gone, *one.redrawn}
    rows = []
    for at, code in enumerate(codes):
        held = (before[at][0], after[at][0])
        if held[0] == held[1] and code not in redrawn and code not in facts:
            continue
        states = [
            band_state(count, one.level.band, is_judged=_is_judged(one.level, kind))
            for count, kind in (before[at], after[at])
        ]
        rows.append(
            CellChange(
                code=code, before=held[0], after=held[1], band_before=states[0],
                band_after=states[1], is_redrawn=code in redrawn,
            )
        )  # fmt: skip
    new = tuple(code for code, facts in settled.added.items() if facts.level == key)
    retired = tuple(code for code, level in settled.retired.items() if level == key)
    touched = frozenset(row.code for row in rows) | set(new) | set(retired)
    if not touched:
        return None, touched
    moved = _moved(draft, settled, key)
    level = LevelChange(
        level=key,
        name=one.level.name,
        cells=tuple(rows),
        atoms_moved=moved[0],
        households_moved=moved[1],
        new=tuple(sorted(new)),
        retired=tuple(sorted(retired)),
        recoded=tuple(sorted(settled.recoded.get(key, {}).items())),
    )
    return level, touched


def _level_of(draft: Draft, code: str) -> str:
    table = draft.plan.cell_table
    return str(table.at[code, "level"]) if code in table.index else ""  # noqa: PD008 - one value


def _is_judged(level: Level, kind: str) -> bool:
    return kind not in level.unbalanced_kinds and level.counted_in(kind) == "households"


def _facts(cells: gpd.GeoDataFrame, codes: list[str]) -> list[tuple[int | None, str]]:
    at = positions(cells, codes)
    counts, kinds = cells["households"].to_numpy(), cells["kind"].to_numpy(object)
    return [(int(counts[row]), str(kinds[row])) if row >= 0 else (None, "") for row in at]


def _moved(draft: Draft, settled: Settled, key: str) -> tuple[int, int]:
    """Return atoms and households that another cell holds now; a new code alone is no move."""
    changed = draft.moved(key)
    was, now = draft.base[key][draft.origin[changed]], draft.labels[key][changed]
    recoded = settled.recoded.get(key, {})
    pairs = zip(changed.tolist(), was.tolist(), now.tolist(), strict=True)
    real = [row for row, old, new in pairs if recoded.get(old) != new]
    return len(real), int(draft.people[real].sum())
