"""Roles, what can be done, and the one table that says who may do it where.

A viewer of the public map needs no household, a planner redraws the parents (街道) that were
given to them, a reviewer says yes or no, an admin keeps the house. Nobody gets a right by being
somebody higher: what an admin may not do in the table, an admin may not do.

Households are for those who plan, and for those who judge what was planned: an admin keeps
accounts, files and jobs, and none of that needs to know who lives where. Somebody who keeps the
house and plans too is given both roles, and the list of what was done says so.
"""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from geogrid.errors import InputError
from geogrid.vocabulary import Labelled

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = [
    "PERMISSIONS",
    "Action",
    "Grant",
    "Permission",
    "Role",
    "Scope",
    "grants_of",
    "may",
    "may_give",
]


class Role(Labelled):
    """What somebody is to a store."""

    VIEWER = "viewer", "浏览者"
    PLANNER = "planner", "规划员"
    REVIEWER = "reviewer", "审核员"
    ADMIN = "admin", "管理员"


class Scope(Labelled):
    """Where a role may do something."""

    NOWHERE = "nowhere", "不允许"
    AREA = "area", "本辖区"
    EVERYWHERE = "everywhere", "全部"


class Action(Labelled):
    """What can be done through the service."""

    VIEW_MAP = "view_map", "查看公开地图"
    VIEW_PLAN = "view_plan", "查看方案与草稿"
    VIEW_HOUSEHOLDS = "view_households", "查看住户明细"
    EXPORT_PUBLIC = "export_public", "导出公开数据"
    EXPORT_HOUSEHOLDS = "export_households", "导出住户明细"
    COMMENT = "comment", "批注"
    EDIT_PLAN = "edit_plan", "修改网格"
    IMPORT_DATA = "import_data", "导入数据"
    RUN_JOB = "run_job", "运行计算任务"
    CANCEL_JOB = "cancel_job", "取消计算任务"
    CREATE_PLAN = "create_plan", "新建方案"
    CREATE_BRANCH = "create_branch", "新建分支"
    MERGE_BRANCH = "merge_branch", "合并分支"
    SUBMIT_VERSION = "submit_version", "提交审核"
    APPROVE_VERSION = "approve_version", "审核通过"
    REJECT_VERSION = "reject_version", "退回修改"
    PUBLISH_VERSION = "publish_version", "发布"
    WITHDRAW_VERSION = "withdraw_version", "撤回发布"
    CREATE_PROJECT = "create_project", "新建项目"
    VIEW_AUDIT = "view_audit", "查看操作日志"
    MANAGE_ACCOUNTS = "manage_accounts", "管理账号"
    MANAGE_SERVICE = "manage_service", "管理服务设置"
    MANAGE_OWN_KEYS = "manage_own_keys", "管理自己的密钥"
    CHANGE_OWN_PASSWORD = "change_own_password", "修改自己的密码"


@dataclass(frozen=True, slots=True, kw_only=True)
class Permission:
    """One row of the table.

    Attributes
    ----------
    scopes
        Where each role may do it; every role is named.
    is_refused_for_own
        Whether nobody may do it to what they made themselves: who draws does not approve.
    """

    scopes: Mapping[Role, Scope]
    is_refused_for_own: bool = False


@dataclass(frozen=True, slots=True, order=True)
class Grant:
    """A role, and the code prefix of the area (街道) that it ends at; "" is everywhere."""

    role: Role
    area: str = ""


_NO, _AREA, _ALL = Scope.NOWHERE, Scope.AREA, Scope.EVERYWHERE


def _row(
    viewer: Scope, planner: Scope, reviewer: Scope, admin: Scope, *, not_own: bool = False
) -> Permission:
    scopes = {
        Role.VIEWER: viewer, Role.PLANNER: planner, Role.REVIEWER: reviewer, Role.ADMIN: admin,
    }  # fmt: skip
    return Permission(scopes=MappingProxyType(scopes), is_refused_for_own=not_own)


# Columns: viewer, planner, reviewer, admin. Only looking and what is one's own is everywhere; the
# rest ends at the area of the grant, which is the whole store where it is "".
PERMISSIONS: Mapping[Action, Permission] = MappingProxyType({
    Action.VIEW_MAP: _row(_ALL, _ALL, _ALL, _ALL),
    Action.VIEW_PLAN: _row(_NO, _ALL, _ALL, _ALL),
    Action.VIEW_HOUSEHOLDS: _row(_NO, _AREA, _AREA, _NO),
    Action.EXPORT_PUBLIC: _row(_ALL, _ALL, _ALL, _ALL),
    Action.EXPORT_HOUSEHOLDS: _row(_NO, _AREA, _NO, _NO),
    Action.COMMENT: _row(_NO, _ALL, _ALL, _ALL),
    Action.EDIT_PLAN: _row(_NO, _AREA, _NO, _NO),
    Action.IMPORT_DATA: _row(_NO, _AREA, _NO, _AREA),
    Action.RUN_JOB: _row(_NO, _AREA, _AREA, _AREA),
    Action.CANCEL_JOB: _row(_NO, _AREA, _AREA, _AREA),
    Action.CREATE_PLAN: _row(_NO, _AREA, _NO, _AREA),
    Action.CREATE_BRANCH: _row(_NO, _AREA, _NO, _AREA),
    Action.MERGE_BRANCH: _row(_NO, _AREA, _NO, _NO),
    Action.SUBMIT_VERSION: _row(_NO, _AREA, _NO, _NO),
    Action.APPROVE_VERSION: _row(_NO, _NO, _AREA, _NO, not_own=True),
    Action.REJECT_VERSION: _row(_NO, _NO, _AREA, _NO),
    Action.PUBLISH_VERSION: _row(_NO, _NO, _AREA, _AREA, not_own=True),
    Action.WITHDRAW_VERSION: _row(_NO, _NO, _AREA, _AREA),
    Action.CREATE_PROJECT: _row(_NO, _NO, _NO, _AREA),
    Action.VIEW_AUDIT: _row(_NO, _NO, _AREA, _AREA),
    Action.MANAGE_ACCOUNTS: _row(_NO, _NO, _NO, _AREA),
    Action.MANAGE_SERVICE: _row(_NO, _NO, _NO, _AREA),
    Action.MANAGE_OWN_KEYS: _row(_NO, _ALL, _ALL, _ALL),
    Action.CHANGE_OWN_PASSWORD: _row(_ALL, _ALL, _ALL, _ALL),
})  # fmt: skip


def may(
    grants: Iterable[Grant], action: Action, *, areas: Iterable[str] = (), is_own: bool = False
) -> bool:
    """Tell whether somebody may do something.

    Parameters
    ----------
    grants
        What they were given.
    areas
        Codes of all parents (街道) that it touches. None means the whole store, which a grant for
        one area alone does not reach.
    is_own
        Whether they made what it is done to.

    Returns
    -------
    bool
        Whether every area lies within some grant that allows it.
    """
    permission = PERMISSIONS[action]
    if is_own and permission.is_refused_for_own:
        return False
    reach = []
    for grant in grants:
        scope = permission.scopes[grant.role]
        if scope is Scope.EVERYWHERE:
            return True
        if scope is Scope.AREA:
            reach.append(grant.area)
    touched = tuple(areas) or ("",)
    return all(any(area.startswith(prefix) for prefix in reach) for area in touched)


def may_give(grants: Iterable[Grant], wanted: Grant) -> bool:
    """Tell whether somebody may give a grant to somebody: never more than their own area."""
    return may(grants, Action.MANAGE_ACCOUNTS, areas=[wanted.area])


def grants_of(pairs: Iterable[tuple[str, str]]) -> tuple[Grant, ...]:
    """Return the grants that stored words mean.

    Raises
    ------
    InputError
        If a role is none of :class:`Role`.
    """
    grants = []
    known = {str(role) for role in Role}
    for word, area in pairs:
        if word not in known:
            msg = f"there is no role {word}: use one of {', '.join(Role)}"
            raise InputError(msg)
        grants.append(Grant(Role(word), area))
    return tuple(sorted(set(grants)))
