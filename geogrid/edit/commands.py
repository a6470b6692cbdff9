"""What a planner can do to a plan: one gesture, one command, as plain JSON and back.

Places are metres of the plan's own coordinate system and are rounded to whole millimetres.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, fields
from typing import Any, ClassVar, Self, TypeAlias, get_args

from geogrid.errors import InputError

__all__ = [
    "AssignKind",
    "Command",
    "Create",
    "Merge",
    "MoveRun",
    "MoveVertex",
    "Paint",
    "Place",
    "Rename",
    "SnapToStreets",
    "Split",
    "command_from_dict",
]

Place: TypeAlias = tuple[float, float]
Line: TypeAlias = tuple[Place, ...]

_ENDS = 2


@dataclass(frozen=True, kw_only=True)
class _Command:
    """Fields are text, truth values, numbers, places, lists of codes, and lines."""

    command: ClassVar[str] = ""
    label_zh: ClassVar[str] = ""

    def __post_init__(self) -> None:
        for one in fields(self):
            value = _READ[str(one.type)](getattr(self, one.name), f"{self.command}.{one.name}")
            object.__setattr__(self, one.name, value)

    def to_dict(self) -> dict[str, Any]:
        """Return the command as plain JSON values; ``command`` says which one it is."""
        return {"command": self.command} | {
            one.name: _plain(getattr(self, one.name)) for one in fields(self)
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Read back what :meth:`to_dict` gave.

        Raises
        ------
        InputError
            If it is another command, a field is missing or unknown, or a value is of no use.
        """
        if values.get("command") != cls.command:
            msg = f"this is no command {cls.command}, but {values.get('command')!r}"
            raise InputError(msg)
        given = {name: value for name, value in values.items() if name != "command"}
        known = {one.name for one in fields(cls)}
        needed = {one.name for one in fields(cls) if one.default is MISSING}
        strange, missing = sorted(set(given) - known), sorted(needed - set(given))
        if strange or missing:
            what = f"has no field {strange[0]}" if strange else f"needs the field {missing[0]}"
            msg = f"command {cls.command} {what}: its fields are {', '.join(sorted(known))}"
            raise InputError(msg)
        return cls(**given)


@dataclass(frozen=True, kw_only=True)
class Paint(_Command):
    """Give atoms, or whole finer cells, to a cell.

    Attributes
    ----------
    level, target
        The level that is painted, and the code of the cell that takes.
    atoms, cells
        Atoms, and codes of cells of the next finer area level. Above the finest level whole finer
        cells go: an atom takes its cell along. At a level that lists households, all households of
        the atoms, and of lists of the next finer level.
    households
        Ids of single households, at a level that lists them.
    within_parent
        Refuse if the parents of what is painted change.
    allow_disconnected
        Cells may fall apart.
    """

    command: ClassVar[str] = "paint"
    label_zh: ClassVar[str] = "划入网格"

    level: str
    target: str
    atoms: tuple[str, ...] = ()
    cells: tuple[str, ...] = ()
    households: tuple[str, ...] = ()
    within_parent: bool = False
    allow_disconnected: bool = False


@dataclass(frozen=True, kw_only=True)
class Create(_Command):
    """Make a new cell from atoms, or from whole finer cells; see :class:`Paint`.

    Attributes
    ----------
    parent
        The cell above; that of most of its households where absent.
    name, kind
        The template's name and the ordinary kind where absent.
    """

    command: ClassVar[str] = "create"
    label_zh: ClassVar[str] = "新建网格"

    level: str
    atoms: tuple[str, ...] = ()
    cells: tuple[str, ...] = ()
    households: tuple[str, ...] = ()
    parent: str = ""
    name: str = ""
    kind: str = ""
    within_parent: bool = False
    allow_disconnected: bool = False


@dataclass(frozen=True, kw_only=True)
class Split(_Command):
    """Split a cell along a line, and all atoms and finer cells that the line passes.

    Attributes
    ----------
    level, cell
        What is split. The part with most households keeps code and name.
    line
        Places from border to border; what is outside the cell, or ends inside it, does not count.
        A closed line cuts a hole out.
    snap_m
        A cut that meets a border this near to a vertex goes through the vertex.
    """

    command: ClassVar[str] = "split"
    label_zh: ClassVar[str] = "拆分网格"

    level: str
    cell: str
    line: Line
    snap_m: float = 0.1
    allow_disconnected: bool = False


@dataclass(frozen=True, kw_only=True)
class Merge(_Command):
    """Make one cell of several.

    Attributes
    ----------
    level, cells
        At least two cells of one level.
    into
        The one that stays; that with most households where absent.
    """

    command: ClassVar[str] = "merge"
    label_zh: ClassVar[str] = "合并网格"

    level: str
    cells: tuple[str, ...]
    into: str = ""
    within_parent: bool = False
    allow_disconnected: bool = False


@dataclass(frozen=True, kw_only=True)
class MoveVertex(_Command):
    """Move one vertex of a border, for all cells of all levels that meet in it.

    Attributes
    ----------
    at, to
        Where it is, to the centimetre, and where it shall be.
    """

    command: ClassVar[str] = "move_vertex"
    label_zh: ClassVar[str] = "移动界点"

    at: Place
    to: Place
    allow_disconnected: bool = False


@dataclass(frozen=True, kw_only=True)
class MoveRun(_Command):
    """Move a run of border, for all cells of all levels that share it.

    Attributes
    ----------
    run
        Neighbouring vertices of the border, to the centimetre.
    path
        Where the run shall be, from end to end. As many places as vertices move them one by one;
        else the path takes the run's place, and borders that end on the run end on the path where
        it is nearest. A path with a place more inserts a vertex, one with a place fewer takes one
        out.
    """

    command: ClassVar[str] = "move_run"
    label_zh: ClassVar[str] = "移动界线"

    run: Line
    path: Line
    allow_disconnected: bool = False


@dataclass(frozen=True, kw_only=True)
class SnapToStreets(_Command):
    """Lay a run of border onto a street or another natural line.

    Attributes
    ----------
    run
        Neighbouring vertices of the border, to the centimetre.
    within_m
        No vertex that stays may move farther.
    lines
        The lines to choose from; the plan's own barriers where absent.
    """

    command: ClassVar[str] = "snap_to_streets"
    label_zh: ClassVar[str] = "贴合道路"

    run: Line
    within_m: float = 30.0
    lines: tuple[Line, ...] = ()
    allow_disconnected: bool = False


@dataclass(frozen=True, kw_only=True)
class AssignKind(_Command):
    """Say of which kind a cell is (普通, 专属 …), one of its level's."""

    command: ClassVar[str] = "assign_kind"
    label_zh: ClassVar[str] = "指定类型"

    level: str
    cell: str
    kind: str


@dataclass(frozen=True, kw_only=True)
class Rename(_Command):
    """Give a cell another name."""

    command: ClassVar[str] = "rename"
    label_zh: ClassVar[str] = "更名"

    level: str
    cell: str
    name: str


Command: TypeAlias = (
    Paint | Create | Split | Merge | MoveVertex | MoveRun | SnapToStreets | AssignKind | Rename
)
_KINDS = {kind.command: kind for kind in get_args(Command)}


def command_from_dict(values: Mapping[str, Any]) -> Command:
    """Read any command back from plain JSON values.

    Raises
    ------
    InputError
        If ``command`` names none, or its fields do not fit.
    """
    name = values.get("command")
    if not isinstance(name, str) or name not in _KINDS:
        msg = f"there is no command {name!r}: use one of {', '.join(_KINDS)}"
        raise InputError(msg)
    command: Command = _KINDS[name].from_dict(values)
    return command


def _plain(value: Any) -> Any:  # noqa: ANN401 - any JSON value
    return [_plain(one) for one in value] if isinstance(value, tuple) else value


def _text(value: object, where: str) -> str:
    if not isinstance(value, str):
        msg = f"{where} must be text, got {value!r}"
        raise InputError(msg)
    return value


def _truth(value: object, where: str) -> bool:
    if not isinstance(value, bool):
        msg = f"{where} must be true or false, got {value!r}"
        raise InputError(msg)
    return value


def _number(value: object, where: str) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool):
        number = float(value)
        if math.isfinite(number) and number >= 0:
            return number
    msg = f"{where} must be a number of 0 or more, got {value!r}"
    raise InputError(msg)


def _texts(value: object, where: str) -> tuple[str, ...]:
    if isinstance(value, str) or not isinstance(value, Sequence):
        msg = f"{where} must be a list of codes, got {value!r}"
        raise InputError(msg)
    return tuple(dict.fromkeys(_text(one, where) for one in value))


def _place(value: object, where: str) -> Place:
    if isinstance(value, Sequence) and not isinstance(value, str) and len(value) == _ENDS:
        numbers = [one for one in value if isinstance(one, int | float)]
        if len(numbers) == _ENDS and all(map(math.isfinite, numbers)):
            return (float(numbers[0]), float(numbers[1]))
    msg = f"{where} must be places of two finite numbers, got {value!r}"
    raise InputError(msg)


def _line(value: object, where: str) -> Line:
    if isinstance(value, str) or not isinstance(value, Sequence) or len(value) < _ENDS:
        msg = f"{where} must be at least two places, got {value!r}"
        raise InputError(msg)
    return tuple(_place(one, where) for one in value)


def _lines(value: object, where: str) -> tuple[Line, ...]:
    if isinstance(value, str) or not isinstance(value, Sequence):
        msg = f"{where} must be a list of lines, got {value!r}"
        raise InputError(msg)
    return tuple(_line(one, where) for one in value)


_READ = {
    "str": _text,
    "bool": _truth,
    "float": _number,
    "tuple[str, ...]": _texts,
    "Place": _place,
    "Line": _line,
    "tuple[Line, ...]": _lines,
}
