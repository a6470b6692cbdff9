"""The service over a store of a test's own."""

from __future__ import annotations

from contextlib import contextmanager
from pathlib import Path

from fastapi.testclient import TestClient

from geogrid.accounts.passwords import hash_password
from geogrid.accounts.tokens import hash_secret, new_api_key
from geogrid.api import ServiceSettings, create_app, import_plan
from geogrid.store import Grant, open_store

PASSWORD = "a long enough secret"  # noqa: S105 - of tests


class Service:
    """A store with one plan, its application, and a client of nobody."""

    def __init__(self, store, app, plan):
        self.store, self.app, self.plan = store, app, plan
        self.nobody = TestClient(app)

    @property
    def base(self):
        return f"/api/v1/plans/{self.plan}"

    @property
    def at_head(self):
        return f"{self.base}/versions/head"

    @property
    def head(self):
        return self.store.branch(self.plan).head

    def account(self, name, *grants, password=None):
        """Add an account; a grant is a role and a code."""
        hashed = None if password is None else hash_password(password, name=name)
        given = [Grant(role, area) for role, area in grants]
        return self.store.accounts.add(name, actor="test", password_hash=hashed, grants=given)

    def program(self, name, *grants):
        """Return a client with a key of a new account."""
        known = self.account(name, *grants)
        key = new_api_key()
        assert key.secret_hash == hash_secret(key.key)
        self.store.accounts.add_key(known.id, key.secret_hash, label="", actor="test")
        return TestClient(self.app, headers={"Authorization": f"Bearer {key.key}"})

    def write(self, client, verb, path, body=None, *, at=None):
        """Send a write that starts from a version, the head when absent."""
        tag = {"If-Match": f'"{at or self.head}"'}
        return client.request(verb, f"{self.base}/{path}", json=body, headers=tag)

    def edit(self, client, *, since=None, **command):
        return self.write(client, "POST", "edits", {"command": command}, at=since)


@contextmanager
def service(plan_file, folder, *, extract=None, households=None, **settings):
    """Serve a plan file from a store in a folder, over a map that no file holds."""
    file = Path(folder) / "plans.sqlite"
    with open_store(file) as store:
        plan = import_plan(store, Path(plan_file), households=households)
        app = create_app(store, ServiceSettings(**settings))
        if extract is not None:
            app.state.desk.files.extract_of = lambda *_: extract
        yield Service(store, app, plan)
