"""The text of a scheme file, to say in two languages on which line a fault is."""

from __future__ import annotations

import re

from geogrid.errors import InputError

__all__ = ["SchemeText"]

_TABLES = ("level", "exception")


class SchemeText:
    """The lines of a scheme file and where its tables begin.

    Parameters
    ----------
    text
        The TOML text.
    name
        Name of the file, for messages.
    """

    def __init__(self, text: str, name: str) -> None:
        self.lines = text.splitlines()
        self.name = name
        tables = [
            (at, found[1])
            for at, line in enumerate(self.lines)
            if (found := re.match(r"\s*\[\[\s*(level|exception)\s*\]\]", line))
        ]
        self.ends = [*(at for at, _ in tables), len(self.lines)]
        self.starts = {table: [at for at, name in tables if name == table] for table in _TABLES}

    def fault(
        self,
        why: str,
        zh: str,
        *,
        level: int | None = None,
        key: str = "",
        table: str = "level",
        part: str = "",
    ) -> InputError:
        """Return an error that names a line.

        Parameters
        ----------
        why, zh
            What is wrong and what to do, in English and in Chinese.
        level
            Number of the table, from 0; ``None`` for what stands above all tables.
        key
            The field at fault; without it the line is that of the table.
        table
            ``level`` or ``exception``.
        part
            A word inside the field's value, where that may run over several lines.
        """
        starts = self.starts[table]
        first = 0
        if level is not None:
            first = starts[level] if level < len(starts) else len(self.lines)
        last = min((end for end in self.ends if level is None or end > first), default=first)
        named = [
            at
            for at in range(first, last)
            if re.match(rf"\s*\"?{re.escape(key)}\"?\s*[=.]", self.lines[at])
        ]
        line = named[0] if key and named else min(first, max(len(self.lines) - 1, 0))
        inside = [at for at in range(line, last) if part and part in self.lines[at]]
        line = inside[0] if inside else line
        return InputError(
            f"{self.name} line {line + 1}: {why}（{self.name} 第 {line + 1} 行：{zh}）"
        )
