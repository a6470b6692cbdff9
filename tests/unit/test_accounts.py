"""Who may do what: every action of every role, passwords, keys, sessions, waits and sign-in."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from hypothesis import given
from hypothesis import strategies as st

from geogrid.accounts import passwords
from geogrid.accounts.oidc import (
    OidcSettings,
    authorization_url,
    challenge_of,
    check_callback,
    check_id_token,
    grants_of_claims,
    new_sign_in,
    provider_of,
)
from geogrid.accounts.passwords import (
    check_password,
    hash_password,
    needs_rehash,
    password_fault,
)
from geogrid.accounts.roles import (
    PERMISSIONS,
    Action,
    Grant,
    Role,
    Scope,
    grants_of,
    may,
    may_give,
)
from geogrid.accounts.throttle import (
    ACCOUNT_POLICY,
    ADDRESS_POLICY,
    Failures,
    ThrottlePolicy,
    account_key,
    address_key,
    after_failure,
    after_success,
    remaining_wait,
    without_forgotten,
)
from geogrid.accounts.tokens import (
    SessionPolicy,
    SessionStanding,
    check_csrf_token,
    csrf_token,
    hash_secret,
    is_secret,
    new_api_key,
    new_session,
    prefix_of_key,
    rotate_session,
    sign_text,
    signed_text,
    standing_of,
    use_session,
)
from geogrid.errors import InputError

NOW = datetime(2030, 1, 1, 8, tzinfo=UTC)
MINE, OTHER = "430203001", "430203002"

# viewer, planner, reviewer, admin: - nowhere, a in the area of the grant, * everywhere.
EXPECTED = {
    "view_map": "****", "view_plan": "-***", "view_households": "-aa-", "export_public": "****",
    "export_households": "-a--", "comment": "-***", "edit_plan": "-a--", "import_data": "-a-a",
    "run_job": "-aaa", "cancel_job": "-aaa", "create_plan": "-a-a", "create_branch": "-a-a",
    "merge_branch": "-a--", "submit_version": "-a--", "approve_version": "--a-",
    "reject_version": "--a-", "publish_version": "--aa", "withdraw_version": "--aa",
    "create_project": "---a", "view_audit": "--aa", "manage_accounts": "---a",
    "manage_service": "---a", "manage_own_keys": "-***", "change_own_password": "****",
}  # fmt: skip
CASES = [(action, role, EXPECTED[action][at]) for action in Action for at, role in enumerate(Role)]


def test_the_table_names_every_action_and_every_role():
    assert set(PERMISSIONS) == set(Action)
    assert set(EXPECTED) == set(Action)
    for permission in PERMISSIONS.values():
        assert set(permission.scopes) == set(Role)
    for words in (Role, Action, Scope):
        assert all(word.label_zh for word in words)


@pytest.mark.parametrize(("action", "role", "where"), CASES)
def test_each_role_does_each_action_where_the_table_says(action, role, where):
    answers = {
        "mine": may([Grant(role, MINE)], action, areas=[MINE]),
        "below_mine": may([Grant(role, MINE)], action, areas=[f"{MINE}007"]),
        "other": may([Grant(role, MINE)], action, areas=[OTHER]),
        "both": may([Grant(role, MINE)], action, areas=[MINE, OTHER]),
        "above_mine": may([Grant(role, MINE)], action, areas=[MINE[:6]]),
        "store_by_mine": may([Grant(role, MINE)], action),
        "store_by_all": may([Grant(role)], action),
        "other_by_all": may([Grant(role)], action, areas=[OTHER]),
    }
    if where == "a":
        inside = {"mine", "below_mine", "store_by_all", "other_by_all"}
        assert answers == {name: name in inside for name in answers}
    else:
        assert set(answers.values()) == {where == "*"}


@pytest.mark.parametrize("action", Action)
def test_nobody_without_a_grant_does_anything(action):
    assert not may([], action, areas=[MINE])
    assert not may([], action)


def test_nobody_approves_or_publishes_what_they_drew():
    both = [Grant(Role.PLANNER), Grant(Role.REVIEWER), Grant(Role.ADMIN)]
    refused = {action for action in Action if not may(both, action, areas=[MINE], is_own=True)}
    assert refused == {Action.APPROVE_VERSION, Action.PUBLISH_VERSION}
    assert all(may(both, action, areas=[MINE]) for action in Action)


def test_two_areas_make_one_reach_and_roles_do_not_mix():
    grants = [Grant(Role.PLANNER, MINE), Grant(Role.PLANNER, OTHER)]
    assert may(grants, Action.EDIT_PLAN, areas=[MINE, OTHER])
    mixed = [Grant(Role.PLANNER, MINE), Grant(Role.REVIEWER, OTHER)]
    assert not may(mixed, Action.EDIT_PLAN, areas=[MINE, OTHER])
    assert not may(mixed, Action.APPROVE_VERSION, areas=[MINE])


def test_an_admin_of_an_area_gives_no_more_than_it():
    admin = [Grant(Role.ADMIN, MINE)]
    assert may_give(admin, Grant(Role.PLANNER, f"{MINE}001"))
    assert not may_give(admin, Grant(Role.ADMIN))
    assert not may_give(admin, Grant(Role.VIEWER, OTHER))
    assert not may_give([Grant(Role.PLANNER)], Grant(Role.VIEWER, MINE))


def test_stored_words_become_grants_and_unknown_ones_are_refused():
    pairs = [("planner", MINE), ("viewer", ""), ("viewer", "")]
    assert grants_of(pairs) == (Grant(Role.PLANNER, MINE), Grant(Role.VIEWER))
    with pytest.raises(InputError, match="there is no role root: use one of viewer, planner"):
        grants_of([("root", "")])


@given(
    st.lists(st.builds(Grant, st.sampled_from(Role), st.text("0123", max_size=4))),
    st.sampled_from(Action),
    st.lists(st.text("0123", max_size=6), max_size=4),
    st.booleans(),
)
def test_more_grants_allow_more_and_more_areas_less(grants, action, areas, is_own):
    allowed = may(grants, action, areas=areas, is_own=is_own)
    assert allowed or not may(grants[1:], action, areas=areas, is_own=is_own)
    if areas and allowed:
        assert may(grants, action, areas=areas[:1], is_own=is_own)
    if may(grants, action, is_own=is_own):
        assert allowed


@pytest.fixture
def cheap_hashes(monkeypatch):
    """Hash with little work, as only the logic is tested."""
    hasher = passwords.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr(passwords, "_HASHER", hasher)
    passwords._nobodys_hash.cache_clear()  # noqa: SLF001 - it keeps the costly one
    yield
    passwords._nobodys_hash.cache_clear()  # noqa: SLF001


@pytest.mark.parametrize(
    ("password", "name", "said"),
    [
        ("", "a", "too short"),
        ("123456789", "a", "too short"),
        ("x" * 257, "a", "too long"),
        ("Zhang.Xiaoming", "zhang.xiaoming", "is the user name"),
        ("zhangsanzhangsan", "zhangsan", "is the user name"),
        ("ｚｈａｎｇ．ｘｉａｏｍｉｎｇ", "zhang.xiaoming", "is the user name"),
        ("1234567890", "a", "first that are guessed"),
        ("Password123", "a", "first that are guessed"),
        ("aaaaaaaaaaaa", "a", "is the user name"),
        ("bbbbbbbbbbbb", "a", "first that are guessed"),
        ("网格员的一句长口令", "a", "too short"),
        ("网格员的一句很长口令呢", "a", ""),
        ("correct horse", "zhang", ""),
        ("correct horse", "", ""),
        ("zhang and more", "zhang", ""),
    ],
)
def test_passwords_are_judged_in_a_sentence(password, name, said):
    fault = password_fault(password, name=name)
    assert said in fault
    assert bool(fault) == bool(said)
    if fault:
        with pytest.raises(InputError, match=fault):
            hash_password(password, name=name)


@pytest.mark.usefixtures("cheap_hashes")
def test_a_password_opens_its_own_hash_and_no_other():
    made = hash_password("correct horse", name="zhang")
    assert made.startswith("$argon2id$")
    assert made != hash_password("correct horse", name="zhang")
    assert check_password(made, "correct horse")
    for wrong in ("correct horsf", "", "x" * 10_000, "correct horse\0"):
        assert not check_password(made, wrong)
    assert not check_password("$argon2id$broken", "correct horse")
    assert not check_password("plain text", "plain text")


@pytest.mark.usefixtures("cheap_hashes")
def test_the_same_characters_typed_another_way_are_the_same_password():
    made = hash_password("Ａｂｃ１２３４５６７é", name="zhang")
    assert check_password(made, "Abc1234567e\u0301")


@pytest.mark.usefixtures("cheap_hashes")
def test_an_unknown_account_costs_a_check_and_opens_never(monkeypatch):
    asked = []
    real = passwords._HASHER  # noqa: SLF001

    class Counting:
        def hash(self, password):
            return real.hash(password)

        def verify(self, known, password):
            asked.append(known)
            return real.verify(known, password)

    monkeypatch.setattr(passwords, "_HASHER", Counting())
    assert not check_password("", "correct horse")
    assert not check_password("", "the password of nobody")
    assert len(asked) == 2
    assert all(known.startswith("$argon2id$") for known in asked)


def test_the_settings_are_those_of_rfc_9106():
    made = hash_password("correct horse", name="zhang")
    assert "$m=65536,t=3,p=4$" in made
    assert not needs_rehash(made)
    weak = passwords.PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash("x")
    assert needs_rehash(weak)


def test_a_key_is_shown_once_and_known_by_its_start():
    made = new_api_key()
    assert prefix_of_key(made.key) == made.prefix
    assert made.key.startswith(f"{made.prefix}_")
    assert len(made.secret_hash) == 64
    assert is_secret(made.key, made.secret_hash)
    assert made.key not in repr(made)
    assert made.key.rsplit("_", 1)[-1] not in repr(made)
    for text in ("", "ggk_", f"{made.key}x", made.key.upper(), made.prefix, "ggk_12345678_x"):
        assert prefix_of_key(text) == ""
        assert not is_secret(text, made.secret_hash)


def test_keys_with_every_letter_of_their_alphabet_are_known_by_their_start():
    for _ in range(200):
        made = new_api_key()
        assert prefix_of_key(made.key) == made.prefix


def test_secrets_are_long_and_never_the_same():
    keys = {new_api_key().key for _ in range(50)} | {new_session(NOW).token for _ in range(50)}
    assert len(keys) == 100
    assert all(len(key.rsplit("_", 1)[-1]) >= 1 and len(key) >= 43 for key in keys)


def test_a_text_that_is_no_text_opens_nothing():
    assert not is_secret("\ud800", hash_secret("a"))
    assert not is_secret("a", "")


@pytest.mark.parametrize(
    ("after", "expected"),
    [
        (timedelta(0), SessionStanding.OPEN),
        (timedelta(minutes=30, seconds=-1), SessionStanding.OPEN),
        (timedelta(minutes=30), SessionStanding.ROTATE),
        (timedelta(hours=2, seconds=-1), SessionStanding.ROTATE),
        (timedelta(hours=2), SessionStanding.ENDED),
        (timedelta(days=9), SessionStanding.ENDED),
    ],
)
def test_a_session_is_open_then_due_then_over(after, expected):
    session = new_session(NOW)
    assert standing_of(session, NOW + after) is expected
    assert is_secret(session.token, session.secret_hash)
    assert session.token not in repr(session)


def test_a_session_that_is_used_still_ends_at_its_longest_life():
    session, now = new_session(NOW), NOW
    tokens = {session.token}
    while standing_of(session, now) is not SessionStanding.ENDED:
        session = rotate_session(session, now)
        tokens.add(session.token)
        now += timedelta(minutes=31)
    assert timedelta(hours=12) <= now - NOW < timedelta(hours=13)
    assert session.started_at == NOW
    assert session.expires_at == NOW + timedelta(hours=12)
    assert len(tokens) > 20
    with pytest.raises(InputError, match="sign in again"):
        rotate_session(session, now)


def test_moments_without_a_zone_and_senseless_policies_are_refused():
    with pytest.raises(InputError, match="no time zone"):
        new_session(NOW.replace(tzinfo=None))
    with pytest.raises(InputError, match="rotate_after <= idle"):
        SessionPolicy(idle=timedelta(minutes=1))
    with pytest.raises(InputError, match="first <= longest"):
        ThrottlePolicy(free=1, longest=timedelta(0), forget_after=timedelta(1))


def test_a_proof_against_forgery_belongs_to_one_session_and_one_server():
    key, token = b"k" * 32, new_session(NOW).token
    proof = csrf_token(token, key)
    assert check_csrf_token(proof, token, key)
    assert not check_csrf_token(proof, new_session(NOW).token, key)
    assert not check_csrf_token(proof, token, b"l" * 32)
    for wrong in ("", proof[:-1], f"{proof}=", token, "\ud800"):
        assert not check_csrf_token(wrong, token, key)
    assert token not in proof
    with pytest.raises(InputError, match="32 random bytes"):
        csrf_token(token, b"short")


@given(st.text(), st.text(min_size=1))
def test_a_signed_text_is_read_by_who_signed_it_and_for_what_it_was_signed(text, other):
    key = b"k" * 32
    signed = sign_text(text, key, purpose="a")
    assert signed_text(signed, key, purpose="a") == text
    assert signed_text(signed, key, purpose="b") is None
    assert signed_text(signed, b"l" * 32, purpose="a") is None
    assert signed_text(signed + other, key, purpose="a") is None
    assert signed_text(other + signed, key, purpose="a") is None
    assert signed_text(other, key, purpose="a") is None


def test_what_is_signed_for_one_thing_proves_nothing_else():
    key = b"k" * 32
    _, _, proof = sign_text("session", key, purpose="oidc").rpartition(".")
    assert not check_csrf_token(proof, "session", key)
    with pytest.raises(InputError, match="32 random bytes"):
        sign_text("x", b"short", purpose="a")


def test_a_used_session_ends_later_but_use_within_a_minute_is_not_worth_noting():
    session = new_session(NOW)
    assert use_session(session, NOW + timedelta(seconds=59)) is session
    used = use_session(session, NOW + timedelta(minutes=1))
    assert used.expires_at == session.expires_at + timedelta(minutes=1)
    assert used.issued_at == session.issued_at
    late = use_session(used, NOW + timedelta(hours=2))
    assert late.expires_at == NOW + timedelta(hours=4)
    with pytest.raises(InputError, match="sign in again"):
        use_session(session, NOW + timedelta(hours=2))


@pytest.mark.parametrize(
    ("policy", "words"),
    [
        ({"grace": timedelta(seconds=-1)}, "grace"),
        ({"grace": timedelta(hours=3)}, "grace"),
        ({"note_every": timedelta(hours=2)}, "note sooner"),
    ],
)
def test_a_session_that_nobody_could_use_is_refused(policy, words):
    with pytest.raises(InputError, match=words):
        SessionPolicy(**policy)


def _fail(times: int, policy: ThrottlePolicy) -> list[float]:
    """Fail as fast as is allowed and return the waits in seconds."""
    state, now, waits = Failures(), NOW, []
    for _ in range(times):
        state = after_failure(state, now, policy)
        wait = remaining_wait(state, now, policy)
        waits.append(wait.total_seconds())
        now += wait
    return waits


def test_the_wait_doubles_after_some_free_tries_and_has_an_end():
    assert _fail(17, ACCOUNT_POLICY) == [
        0, 0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300,
    ]  # fmt: skip
    address = _fail(60, ADDRESS_POLICY)
    assert address[:22] == [0] * 20 + [1, 2]
    assert max(address) == 900
    assert remaining_wait(Failures(10_000, NOW), NOW, ACCOUNT_POLICY) == timedelta(minutes=5)


def test_tries_during_the_wait_do_not_lengthen_it():
    state = Failures(8, NOW)
    soon = NOW + timedelta(seconds=3)
    assert remaining_wait(state, soon, ACCOUNT_POLICY) == timedelta(seconds=1)
    assert after_failure(state, soon, ACCOUNT_POLICY) == state
    later = NOW + timedelta(seconds=4)
    assert after_failure(state, later, ACCOUNT_POLICY) == Failures(9, later)


def test_failures_are_forgotten_after_an_hour():
    state = Failures(30, NOW)
    later = NOW + timedelta(hours=1)
    assert remaining_wait(state, later, ACCOUNT_POLICY) == timedelta(0)
    assert after_failure(state, later, ACCOUNT_POLICY) == Failures(1, later)
    states = {"a": state, "b": Failures(1, later), "c": Failures()}
    assert without_forgotten(states, later, ACCOUNT_POLICY) == {"b": Failures(1, later)}


def test_a_right_password_clears_the_account_and_not_the_address():
    state = Failures(7, NOW)
    assert after_success(state, is_account=True) == Failures()
    assert after_success(state, is_account=False) == state


@given(st.lists(st.integers(0, 7200), max_size=60), st.integers(0, 10**6))
def test_a_wait_is_never_below_zero_nor_above_its_end(pauses, late):
    state, now = Failures(), NOW
    for pause in pauses:
        now += timedelta(seconds=pause)
        state = after_failure(state, now, ACCOUNT_POLICY)
        wait = remaining_wait(state, now, ACCOUNT_POLICY)
        assert timedelta(0) <= wait <= ACCOUNT_POLICY.longest
    assert remaining_wait(state, now + timedelta(seconds=3600 + late), ACCOUNT_POLICY) == timedelta(
        0
    )


def test_names_and_addresses_are_counted_however_they_are_written():
    assert account_key(" Zhang ") == account_key("ｚｈａｎｇ")
    assert address_key("192.0.2.7") == address_key("::ffff:192.0.2.7") == "192.0.2.7"
    assert address_key("2001:db8::1") == address_key("2001:db8::2") == "2001:db8::/64"
    assert address_key("2001:db8:0:1::1") != address_key("2001:db8::1")
    assert address_key("fe80::1%eth0") == address_key("fe80::2")
    assert address_key("x") == address_key("") == "unknown"


ISSUER = "https://id.example.org/realms/a"
SETTINGS = OidcSettings(
    issuer=ISSUER,
    client_id="geogrid",
    client_secret="s" * 20,
    redirect_uri="https://map.example.org/callback",
    roles_claim="realm_access.roles",
    roles={"街道规划": (("planner", MINE),), "审核": (("reviewer", ""), ("viewer", ""))},
)
DOCUMENT = {
    "issuer": ISSUER,
    "authorization_endpoint": f"{ISSUER}/auth",
    "token_endpoint": f"{ISSUER}/token",
    "jwks_uri": f"{ISSUER}/keys",
}
RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER_RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
NONCE = "n" * 43


def _jwk(key: rsa.RSAPrivateKey, **more: str) -> dict[str, Any]:
    made = jwt.algorithms.RSAAlgorithm.to_jwk(key.public_key(), as_dict=True)
    return {**made, "kid": "one", "use": "sig", **more}


KEYS = {"keys": [_jwk(RSA), {**_jwk(OTHER_RSA), "kid": "enc", "use": "enc"}]}


def _claims(**more: object) -> dict[str, Any]:
    at = NOW.timestamp()
    usual = {
        "iss": ISSUER, "aud": "geogrid", "sub": "42", "nonce": NONCE, "iat": at, "exp": at + 300,
    }  # fmt: skip
    return {name: one for name, one in {**usual, **more}.items() if one is not None}


def _token(claims: dict[str, Any], key=RSA, algorithm="RS256", kid: str | None = "one") -> str:
    return jwt.encode(claims, key, algorithm=algorithm, headers={"kid": kid} if kid else None)


def _check(token: str, keys=KEYS) -> dict[str, Any]:
    return check_id_token(token, keys, SETTINGS, nonce=NONCE, now=NOW)


def test_a_good_identity_token_gives_its_claims():
    assert _check(_token(_claims()))["sub"] == "42"
    assert _check(_token(_claims(), kid=None))["sub"] == "42"
    assert _check(_token(_claims(aud=["geogrid", "x"], azp="geogrid")))["sub"] == "42"
    assert _check(_token(_claims(exp=NOW.timestamp() - 30)))["sub"] == "42"


@pytest.mark.parametrize(
    ("algorithm", "private"),
    [
        ("ES256", ec.generate_private_key(ec.SECP256R1())),
        ("EdDSA", ed25519.Ed25519PrivateKey.generate()),
    ],
)
def test_other_signatures_of_a_private_key_hold_too(algorithm, private):
    kind = jwt.algorithms.ECAlgorithm if algorithm == "ES256" else jwt.algorithms.OKPAlgorithm
    key = {**json.loads(kind.to_jwk(private.public_key())), "kid": "one"}
    assert _check(_token(_claims(), private, algorithm), {"keys": [key]})["sub"] == "42"


AT = NOW.timestamp()
BAD_CLAIMS = [
    {"iss": "https://evil.example.org"}, {"iss": None}, {"aud": "other"}, {"aud": None},
    {"aud": ["geogrid", "x"]}, {"aud": ["geogrid", "x"], "azp": "x"}, {"azp": "x"}, {"sub": None},
    {"sub": ""}, {"nonce": "m" * 43}, {"nonce": None}, {"exp": AT - 61}, {"exp": None},
    {"iat": AT + 61}, {"iat": None}, {"nbf": AT + 61}, {"exp": True},
]  # fmt: skip


@pytest.mark.parametrize("wrong", BAD_CLAIMS, ids=str)
def test_claims_that_do_not_hold_are_refused(wrong):
    with pytest.raises(InputError, match="the sign-in was refused: begin it again"):
        _check(_token(_claims(**wrong)))


def _unsigned() -> str:
    def part(value: dict[str, Any]) -> str:
        return urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    return f"{part({'alg': 'none', 'kid': 'one'})}.{part(_claims())}."


def _signed_with_public_key() -> str:
    """A token signed as if the public key were a shared secret."""
    header = urlsafe_b64encode(b'{"alg":"HS256","kid":"one"}').rstrip(b"=")
    body = urlsafe_b64encode(json.dumps(_claims()).encode()).rstrip(b"=")
    secret = json.dumps(_jwk(RSA)).encode()
    algorithm = jwt.algorithms.HMACAlgorithm(jwt.algorithms.HMACAlgorithm.SHA256)
    proof = urlsafe_b64encode(algorithm.sign(header + b"." + body, secret)).rstrip(b"=")
    return b".".join([header, body, proof]).decode()


def test_forged_tokens_are_refused():
    good = _token(_claims())
    head, body, _ = good.split(".")
    forged = [
        "", "a.b.c", _unsigned(), _signed_with_public_key(), _token(_claims(), OTHER_RSA),
        _token(_claims(), kid="two"), _token(_claims(), OTHER_RSA, kid="enc"),
        f"{head}.{body}.", f"{head}.{body[:-4]}AAAA.{good.rsplit('.', 1)[1]}",
    ]  # fmt: skip
    for token in forged:
        with pytest.raises(InputError, match="the sign-in was refused"):
            _check(token)
    for keys in ({}, {"keys": []}, {"keys": [1]}, {"keys": [_jwk(RSA), _jwk(RSA)]},
                 {"keys": [{"kty": "oct", "k": "YQ", "kid": "one"}]}):  # fmt: skip
        with pytest.raises(InputError, match="the sign-in was refused"):
            _check(good, keys)


def test_a_sign_in_is_sent_with_a_challenge_and_comes_back_with_its_state():
    sign_in = new_sign_in()
    assert len({sign_in.state, sign_in.nonce, sign_in.verifier, new_sign_in().state}) == 4
    assert sign_in.state not in repr(sign_in)
    assert 43 <= len(sign_in.verifier) <= 128
    url = authorization_url(provider_of(DOCUMENT, SETTINGS), SETTINGS, sign_in)
    assert url.startswith(f"{ISSUER}/auth?response_type=code&client_id=geogrid&")
    for part in (f"state={sign_in.state}", f"nonce={sign_in.nonce}", "code_challenge_method=S256",
                 f"code_challenge={challenge_of(sign_in.verifier)}"):  # fmt: skip
        assert part in url
    assert sign_in.verifier not in url
    assert SETTINGS.client_secret not in url
    good = {"state": sign_in.state, "code": "c"}
    assert check_callback(good, sign_in, SETTINGS) == "c"
    assert check_callback({**good, "iss": ISSUER}, sign_in, SETTINGS) == "c"
    for wrong in ({"state": "x"}, {"code": ""}, {"error": "denied"}, {"iss": "https://evil.org"},
                  {"state": "\ud800"}):  # fmt: skip
        with pytest.raises(InputError, match="the sign-in was refused"):
            check_callback({**good, **wrong}, sign_in, SETTINGS)
    with pytest.raises(InputError, match="the sign-in was refused"):
        check_callback({"code": "c"}, sign_in, SETTINGS)


def test_the_challenge_is_that_of_the_standard():
    # The example of RFC 7636, appendix B.
    verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    assert challenge_of(verifier) == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


@pytest.mark.parametrize(
    "wrong",
    [
        {"issuer": "https://other.example.org"}, {"issuer": None}, {"token_endpoint": None},
        {"jwks_uri": "http://id.example.org/keys"}, {"jwks_uri": "file:///etc/passwd"},
        {"authorization_endpoint": "javascript:alert(1)"}, {"token_endpoint": 3},
        {"token_endpoint": "https://a:b@id.example.org/token"}, {"jwks_uri": "https://x/#y"},
    ],
    ids=str,
)  # fmt: skip
def test_a_provider_that_is_another_or_not_safe_is_refused(wrong):
    with pytest.raises(InputError, match="check the"):
        provider_of({**DOCUMENT, **wrong}, SETTINGS)


@pytest.mark.parametrize(
    "wrong",
    [
        {"issuer": "http://id.example.org"}, {"redirect_uri": "map.example.org"},
        {"client_id": ""}, {"scopes": ("profile",)}, {"roles": {"x": (("root", ""),)}},
    ],
    ids=str,
)  # fmt: skip
def test_settings_that_cannot_work_are_refused_at_the_start(wrong):
    with pytest.raises(InputError):
        replace(SETTINGS, **wrong)


def test_a_provider_on_this_computer_needs_no_https_and_secrets_are_not_printed():
    local = replace(SETTINGS, issuer="http://127.0.0.1:8080", redirect_uri="http://localhost/c")
    assert local.issuer == "http://127.0.0.1:8080"
    assert SETTINGS.client_secret not in repr(SETTINGS)


@pytest.mark.parametrize(
    ("claims", "expected"),
    [
        ({"realm_access": {"roles": ["街道规划"]}}, (Grant(Role.PLANNER, MINE),)),
        ({"realm_access": {"roles": "审核"}}, (Grant(Role.REVIEWER), Grant(Role.VIEWER))),
        ({"realm_access": {"roles": ["admin", 3, None, ["审核"]]}}, ()),
        ({"realm_access": {"roles": {"审核": True}}}, ()),
        ({"realm_access": ["审核"]}, ()),
        ({"roles": ["审核"]}, ()),
        ({}, ()),
    ],
)
def test_claims_give_the_grants_that_the_settings_name_and_no_other(claims, expected):
    assert grants_of_claims(claims, SETTINGS) == expected
