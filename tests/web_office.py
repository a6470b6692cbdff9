"""The stand-in for the service around the map: versions, review, files, jobs, people."""

from __future__ import annotations

import json
import time
from http import HTTPStatus

NEXT = {
    "draft": {"submitted"}, "submitted": {"reviewed", "draft"}, "reviewed": {"in_force", "draft"},
    "in_force": {"archived"}, "archived": set(),
}  # fmt: skip
ZH = {"draft": "草案", "submitted": "已提交", "reviewed": "已审核", "in_force": "生效",
      "archived": "归档"}  # fmt: skip
WHO_MAY = {"submitted": {"planner"}, "reviewed": {"reviewer"}, "draft": {"reviewer"},
           "in_force": {"reviewer", "admin"}, "archived": {"reviewer", "admin"}}  # fmt: skip
ROLE_ZH = {"households": "住户", "stations": "服务站", "limit": "边界", "plan": "方案文件"}
KIND_ZH = {"divide": "划分网格", "circles": "计算服务圈", "import": "导入方案"}
TIME = "2026-05-01T08:00:00+00:00"


def ok(value):
    return HTTPStatus.OK, {"content-type": "application/json"}, json.dumps(value).encode()


def problem(status, detail, **more):
    body = {"title": HTTPStatus(status).phrase, "status": status, **more}
    if detail:
        body["detail"] = detail
    return status, {"content-type": "application/problem+json"}, json.dumps(body).encode()


class Office:
    """State and routes of :class:`web_service.FakeService` that are not about the map."""

    def __init__(self, *, roles=("planner",), oidc=None, tianditu_key=None):
        self.roles = list(roles)
        self.oidc = oidc
        self.tianditu_key = tianditu_key
        self.standings = {}
        self.authors = {}
        self.files = {}
        self.jobs = {}
        self.job_speed_s = 0.05
        self.held = set()
        # What whoever brings a version further must know.
        self.state_notes = []
        self.keys = {}
        self.passwords = []
        self.accounts = {
            "a1": {"id": "a1", "name": "admin", "display_name": "管理员甲", "is_active": True,
                   "grants": [["admin", ""]]},
            "a2": {"id": "a2", "name": "zhang", "display_name": "张规划", "is_active": True,
                   "grants": [["planner", "430201"]]},
        }  # fmt: skip
        self.log = 120

    def settings(self, **_):
        return ok({"tianditu_key": self.tianditu_key})

    def version_row(self, number):
        key = f"v{number}"
        return {
            "id": key, "number": number, "parent": f"v{number - 1}" if number > 1 else None,
            "author": self.authors.get(key, "张规划"), "time": TIME,
            "message": "合并网格 merge" if number > 1 else "import sha256:0",
            "is_draft": False, "is_proven": True, "state": self.standings.get(key, "draft"),
            "state_zh": ZH[self.standings.get(key, "draft")],
        }  # fmt: skip

    def versions_page(self, *, query, **_):
        last = int(query["before"][1:]) - 1 if "before" in query else len(self.versions)
        rows = [self.version_row(number) for number in range(last, 0, -1)]
        return ok(rows[: int(query.get("limit", 50))])

    def advance(self, *, body, headers, **_):
        version = headers["if-match"].strip('"')
        now, wanted = self.standings.get(version, "draft"), body["to"]
        if headers.get("x-csrf-token") != "secret":
            return problem(403, "the token of the session is missing")
        if version not in {f"v{number + 1}" for number in range(len(self.versions))}:
            return problem(404, "no such version")
        if not WHO_MAY[wanted] & set(self.roles) or (
            wanted in {"reviewed", "in_force"} and self.authors.get(version) == self.user
        ):
            return problem(
                403, "you may not do this to the whole plan or to your own work (审核通过)"
            )
        if wanted not in NEXT[now]:
            allowed = "、".join(ZH[one] for one in NEXT[now]) or "无"
            return problem(
                409,
                f"version {version} is {now} ({ZH[now]}) and cannot become {wanted} "
                f"({ZH[wanted]}): allowed next: {allowed}",
            )
        self.standings[version] = wanted
        self.state = wanted
        self.advanced = body
        day = body.get("effective_from")
        return ok({
            "version": version, "state": wanted, "effective_from": day, "effective_to": None,
            "notes": self.state_notes,
        })  # fmt: skip

    def compare(self, *, version, other, **_):
        was, now = self.plan_at(version), self.plan_at(other)
        levels, moves, cells = {}, [], []
        homes = now.atoms.frame.set_index("atom_id")["households"]
        for level in now.scheme.area_levels:
            key = level.key
            before, after = was.labels[key], now.labels[key]
            moved = before.index[before != after]
            gone, come = set(before) - set(after), set(after) - set(before)
            redrawn = (set(before[moved]) | set(after[moved])) - gone - come
            levels[key] = {
                "changed": len(gone | come | redrawn), "added": sorted(come),
                "removed": sorted(gone), "redrawn": sorted(redrawn), "renamed": [],
                "moved_households_text": str(int(homes[moved].sum())),
            }  # fmt: skip
            table = homes[moved].groupby([before[moved], after[moved]]).sum()
            moves += [
                {"level": key, "from": a, "to": b, "households_text": f"{n}" if n > 9 else "<10"}
                for (a, b), n in table.sort_values(ascending=False).items()
            ]
            cells += self.features(other, key, come | redrawn)
        return ok({"levels": levels, "moves": moves,
                        "cells": {"type": "FeatureCollection", "features": cells}})  # fmt: skip

    def list_files(self, **_):
        return ok(list(self.files.values()))

    def take_file(self, *, query, raw, headers, **_):
        if headers.get("x-csrf-token") != "secret":
            return problem(403, "the token of the session is missing")
        if raw.startswith(b"broken"):
            return problem(
                422, "the file holds no table of points: check it (文件中没有点表：请检查后再传)"
            )
        key = f"f{len(self.files) + 1}"
        self.files[key] = {
            "id": key, "role": query["role"], "role_zh": ROLE_ZH[query["role"]],
            "name": query["name"], "size": len(raw), "rows": raw.count(b"\n"),
            "notes": ["3 rows have no place and were left out (3 行没有坐标，未采用)"],
            "created_at": TIME, "owner_name": "张规划",
        }  # fmt: skip
        return 201, *ok(self.files[key])[1:]

    def drop_file(self, *, file, **_):
        self.files.pop(file)
        return 204, {}, b""

    def list_jobs(self, *, query, **_):
        known = list(reversed(self.jobs.values()))
        ids = [one["id"] for one in known]
        start = ids.index(query["before"]) + 1 if query.get("before") else 0
        return ok(known[start : start + int(query["limit"])])

    def start_job(self, *, body, **_):
        if body["kind"] == "divide" and body["name"] == "芦淞区建设街道":
            return problem(422, "a plan has this name: choose another (已有同名方案：请换一个名称)")
        key = f"j{len(self.jobs) + 1}"
        self.jobs[key] = {
            "id": key, "kind": body["kind"], "kind_zh": KIND_ZH[body["kind"]], "state": "queued",
            "state_zh": "排队", "progress": 0, "note": "", "project": "p", "plan": "plan",
            "result": None, "error": None, "owner_name": "张规划", "created_at": TIME,
            "finished_at": None, "is_over": False, "asked": body,
        }  # fmt: skip
        return 202, *ok(self.jobs[key])[1:]

    def one_job(self, *, job, **_):
        return ok(self.jobs[job]) if job in self.jobs else problem(404, "no such job")

    def cancel_job(self, *, job, **_):
        self.jobs[job] |= {"state": "cancelled", "state_zh": "已取消", "is_over": True}
        return ok(self.jobs[job])

    def job_events(self, *, job, **_):
        """Return an iterator of texts: the handler sends each as it comes."""
        return 200, {"content-type": "text/event-stream"}, self._events(self.jobs[job])

    def _events(self, job):
        yield ": hello\n\n"
        for share in (0.25, 0.5, 0.75):
            time.sleep(self.job_speed_s)
            while job["id"] in self.held and not job["is_over"]:
                time.sleep(0.02)
            if job["is_over"]:
                break
            job |= {"state": "running", "state_zh": "运行中", "progress": share,
                    "note": "划分第 2 层"}  # fmt: skip
            yield f"event: progress\ndata: {json.dumps(job)}\n\n"
        if not job["is_over"]:
            job |= {"state": "done", "state_zh": "完成", "progress": 1, "is_over": True,
                    "result": {"plan": "plan", "version": self.head}}  # fmt: skip
        yield f"event: end\ndata: {json.dumps(job)}\n\n"

    def list_schemes(self, **_):
        return ok([{"key": "huayang", "title": "华阳街道"}, {"key": "town", "title": "两级网格"}])

    def set_password(self, *, body, **_):
        if body["old"] != "right":
            return problem(403, "the present password is wrong (现用密码不对)")
        self.passwords.append(body["new"])
        return 204, {}, b""

    def list_keys(self, **_):
        return ok(list(self.keys.values()))

    def make_key(self, *, body, **_):
        key = f"k{len(self.keys) + 1}"
        self.keys[key] = {"id": key, "label": body["label"], "created_at": TIME,
                          "expires_at": None, "revoked_at": None}  # fmt: skip
        return 201, *ok({"id": key, "key": "gg_secret_key", "label": body["label"]})[1:]

    def revoke_key(self, *, key, **_):
        self.keys[key]["revoked_at"] = TIME
        return 204, {}, b""

    def list_accounts(self, **_):
        return ok(list(self.accounts.values()))

    def add_account(self, *, body, **_):
        if any(one["name"] == body["name"] for one in self.accounts.values()):
            return problem(422, "the name is taken: choose another (登录名已被占用)")
        key = f"a{len(self.accounts) + 1}"
        self.accounts[key] = {
            "id": key, "name": body["name"], "is_active": True,
            "display_name": body["display_name"], "grants": body["grants"],
        }  # fmt: skip
        return 201, *ok({"id": key, "name": body["name"]})[1:]

    def set_grants(self, *, account, body, **_):
        self.accounts[account]["grants"] = body["grants"]
        return ok(self.accounts[account])

    def set_active(self, *, account, body, **_):
        self.accounts[account]["is_active"] = body["is_active"]
        return ok(self.accounts[account])

    def reset_password(self, *, body, **_):
        self.passwords.append(body["new"])
        return 204, {}, b""

    def audit(self, *, query, **_):
        last = int(query.get("before", self.log + 1)) - 1
        rows = [
            {"number": n, "at": TIME, "actor_name": "张规划", "action": "commit",
             "subject": f"v{n}", "details": {"branch": "main"}, "hash": "0"}
            for n in range(last, 0, -1)
        ]  # fmt: skip
        return ok({"entries": rows[: int(query["limit"])], "is_whole": True})


_API, _PLAN = "/api/v1", "/api/v1/plans/plan"
OFFICE_ROUTES = {
    ("GET", _API + "/settings"): Office.settings,
    ("GET", _PLAN + "/versions"): Office.versions_page,
    ("POST", _PLAN + "/state"): Office.advance,
    ("GET", _PLAN + r"/versions/(?P<version>\w+)/compare/(?P<other>\w+)"): Office.compare,
    ("GET", _API + "/projects/p/files"): Office.list_files,
    ("POST", _API + "/projects/p/files"): Office.take_file,
    ("DELETE", _API + r"/files/(?P<file>\w+)"): Office.drop_file,
    ("GET", _API + "/jobs"): Office.list_jobs,
    ("POST", _API + "/projects/p/jobs"): Office.start_job,
    ("POST", _PLAN + "/jobs"): Office.start_job,
    ("GET", _API + r"/jobs/(?P<job>\w+)"): Office.one_job,
    ("POST", _API + r"/jobs/(?P<job>\w+)/cancel"): Office.cancel_job,
    ("GET", _API + r"/jobs/(?P<job>\w+)/events"): Office.job_events,
    ("GET", _API + "/schemes"): Office.list_schemes,
    ("PUT", _API + "/me/password"): Office.set_password,
    ("GET", _API + "/me/keys"): Office.list_keys,
    ("POST", _API + "/me/keys"): Office.make_key,
    ("DELETE", _API + r"/me/keys/(?P<key>\w+)"): Office.revoke_key,
    ("GET", _API + "/accounts"): Office.list_accounts,
    ("POST", _API + "/accounts"): Office.add_account,
    ("PUT", _API + r"/accounts/(?P<account>\w+)/grants"): Office.set_grants,
    ("PUT", _API + r"/accounts/(?P<account>\w+)/active"): Office.set_active,
    ("PUT", _API + r"/accounts/(?P<account>\w+)/password"): Office.reset_password,
    ("GET", _API + "/audit"): Office.audit,
}
