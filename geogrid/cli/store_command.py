"""What whoever keeps a service does with its store: check it, copy it, let somebody in again."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import TYPE_CHECKING

from geogrid.accounts.passwords import hash_password
from geogrid.cli.exits import FINDINGS, SOUND
from geogrid.errors import GeogridError, InputError, MissingFileError
from geogrid.store import Store, open_store

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterator

    from geogrid.cli.terminal import Terminal
    from geogrid.store import PlanEntry

__all__ = ["store_command"]

_ACTOR = "geogrid"
_SECRET_BYTES = 18


def store_command(options: Namespace, terminal: Terminal) -> int:
    """Do one of the works on a store."""
    with _opened(options.store) as store:
        return {"check": _check, "backup": _backup, "password": _password}[options.action](
            store, options, terminal
        )


def _opened(where: str) -> Store:
    file = Path(where.removeprefix("sqlite:///"))
    if "://" not in str(where).removeprefix("sqlite:///") and not file.is_file():
        msg = f"there is no store {file}: name the file that geogrid serve --store was given"
        raise MissingFileError(msg)
    return open_store(where)


def _check(store: Store, options: Namespace, terminal: Terminal) -> int:
    """Prove what is stored again from the database alone, and every seal of the audit log."""
    verdict = store.audit.verify()
    wrong: list[str] = []
    if not verdict.is_sound:
        wrong.append(f"审计日志 audit log: {verdict.reason}")
    checked = 0
    for entry in _plans(store):
        versions = store.history(entry.id)
        for version in versions if options.all else versions[:1]:
            checked += 1
            fault = _fault_of(store, version.id)
            if fault:
                wrong.append(f"{entry.name} v{version.number} ({version.id}): {fault}")
    terminal.result({"versions": checked, "audit_entries": verdict.entries, "wrong": wrong})
    terminal.say(f"已重新证明 proven again: {checked} 个版本 versions")
    terminal.say(f"审计日志 audit log: {verdict.entries} 条 entries")
    for sentence in wrong:
        terminal.say(f"不符 wrong: {sentence}")
    return FINDINGS if wrong else SOUND


def _fault_of(store: Store, version: str) -> str:
    """Return what is wrong with a stored version, "" where nothing is."""
    try:
        is_sound = store.recheck(version)
    except GeogridError as fault:
        return str(fault)
    return "" if is_sound else "不是当初存入的内容 it is not what was stored: restore a backup"


def _plans(store: Store) -> Iterator[PlanEntry]:
    for project in store.projects():
        yield from store.plans(project.id)


def _backup(store: Store, options: Namespace, terminal: Terminal) -> int:
    """Copy a SQLite store to a new file while it is in use."""
    if not options.value:
        msg = "a backup needs a name: geogrid store backup STORE COPY.sqlite"
        raise InputError(msg)
    file = store.backup(options.value)
    terminal.result({"backup": str(file)})
    terminal.say(f"备份 backup: {file}")
    return SOUND


def _password(store: Store, options: Namespace, terminal: Terminal) -> int:
    """Give an account a new password, told once; its sessions end."""
    name = options.value or "admin"
    known = store.accounts.by_name(name)
    if known is None:
        msg = f"the store has no account {name}: look at the accounts page for its name"
        raise InputError(msg)
    password = secrets.token_urlsafe(_SECRET_BYTES)
    store.accounts.set_password(known.id, hash_password(password, name=name), actor=_ACTOR)
    store.accounts.set_active(known.id, is_active=True, actor=_ACTOR)
    terminal.result({"name": name, "password": password})
    terminal.say(f"账号 account: {name}  新密码 new password (只显示一次 told once): {password}")
    return SOUND
