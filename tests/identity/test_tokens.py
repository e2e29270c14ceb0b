"""Tokens: what is accepted, and every way that we know to forge, bend or break one."""

import hmac
import json
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from cryptography.hazmat.primitives import serialization
from jwt.algorithms import HMACAlgorithm
from werkzeug.exceptions import Unauthorized

from tests.identity.conftest import OPEN, SECRET, Door
from tests.identity.forging import compact, encoded, signer
from tests.identity.issuer import FOR_EVER, private_key, public_jwk
from todo_service.identity import tokens as rules
from todo_service.settings import BadSettingsError

BY_SECRET = signer("HS256", SECRET.encode())
HS256 = {"alg": "HS256"}
GOOD = {"sub": "alice", "exp": FOR_EVER}
NOW = 1_800_000_000  # the wall clock of every door
EMOJI = "\U0001f469\u200d\U0001f4bb"


def minted(claims=(), header=(), sign=BY_SECRET):
    """A token that the secret signed, good but for what is named."""
    return compact(HS256 | dict(header), GOOD | dict(claims), sign)


def raw(payload, header=b'{"alg":"HS256"}'):
    """A token of these very bytes, signed by the secret."""
    return compact(header, payload, BY_SECRET)


def refuses(door, token):
    """401 in the one shape, and not by a crash."""
    answer = door.get("/nothing", token)
    return answer.status_code == 401 and answer.json.keys() == {"error"}


def test_a_good_token_opens_the_door(secret_door):
    assert secret_door.knock(minted()) == OPEN


def test_a_good_token_of_the_issuer_opens_the_door(issuer, door):
    assert door.knock(issuer.token()) == OPEN


# Who signed


@pytest.mark.parametrize("none", ["none", "None", "NONE", "nOnE", "", " none", "null"])
@pytest.mark.parametrize("signature", [b"", b"x", b"\0" * 32])
def test_a_token_without_a_signature_is_refused(issuer, double_door, none, signature):
    for kid in ("first", None):
        header = {"alg": none, "kid": kid}
        claims = GOOD | {"iss": issuer.origin, "aud": issuer.origin}
        assert refuses(double_door, compact(header, claims, lambda _: signature))
        assert refuses(double_door, compact(header, claims, BY_SECRET))


@pytest.mark.parametrize(
    "alg",
    [
        None,
        256,
        True,
        ["HS256"],
        ["EdDSA"],
        {"a": 1},
        {},
        [],
        "hs256",
        "HS384",
        "HS512",
    ],
    ids=str,
)
@pytest.mark.parametrize("secret", [True, False])
def test_an_algorithm_is_one_of_ours_by_its_exact_name(
    issuer, door, double_door, alg, secret
):
    header = json.dumps({"alg": alg, "kid": "first"}).encode()
    for each in (door, double_door):
        if secret:
            assert refuses(each, raw(json.dumps(GOOD).encode(), header))
        else:
            assert refuses(each, issuer.token(header={"alg": alg}))


def test_a_token_without_alg_is_refused(secret_door):
    assert refuses(secret_door, raw(b'{"sub":"alice","exp":4102444800}', b"{}"))


def spellings(algorithm):
    """What is public of a key, in every form that might pass for a secret."""
    public = private_key(algorithm, "first").public_key()
    jwk = public_jwk(algorithm, "first", "first")
    forms = serialization.PublicFormat.SubjectPublicKeyInfo
    pem = public.public_bytes(serialization.Encoding.PEM, forms)
    yield pem
    yield pem.strip()
    yield public.public_bytes(serialization.Encoding.DER, forms)
    yield json.dumps(jwk).encode()
    yield json.dumps(jwk, separators=(",", ":")).encode()
    for member in ("x", "n"):
        yield jwk.get(member, "").encode()
    yield b""


@pytest.mark.parametrize("alg", ["HS256", "HS384", "HS512"])
@pytest.mark.parametrize("algorithm", ["EdDSA", "ES256", "RS256"])
def test_what_is_public_of_a_key_is_no_secret(
    issuer, door, double_door, algorithm, alg
):
    issuer.jwks = [public_jwk(algorithm, "first", "first")]
    claims = GOOD | {"iss": issuer.origin, "aud": issuer.origin}
    for spelling in spellings(algorithm):
        token = compact(
            {"alg": alg, "kid": "first"},
            claims,
            lambda some, key=spelling: _hmac(alg, key, some),
        )
        assert refuses(door, token)
        assert refuses(double_door, token)


def _hmac(alg, key, some):
    return hmac.digest(key, some, f"sha{alg[2:]}")


def test_the_secret_signs_nothing_but_hs256(double_door):
    for alg in ("HS384", "HS512", "EdDSA", "RS256"):
        assert refuses(double_door, minted(header={"alg": alg, "kid": "first"}))


def test_a_key_verifies_no_algorithm_but_its_own(issuer, door):
    issuer.jwks = [public_jwk("RS256", "first", "first")]
    key = private_key("RS256", "first")
    claims = GOOD | {"iss": issuer.origin, "aud": issuer.origin}
    for alg in ("PS256", "RS384", "RS512", "PS512"):
        header = {"alg": alg, "kid": "first"}
        assert refuses(door, compact(header, claims, signer(alg, key)))
        assert refuses(door, compact(header, claims, signer("RS256", key)))
    assert door.knock(issuer.token(algorithm="RS256")) == OPEN


def test_another_key_under_a_known_kid_is_refused(issuer, door):
    assert refuses(door, issuer.token("mallory", header={"kid": "first"}))


def test_a_signature_over_other_parts_is_refused(secret_door):
    head, body, signature = minted().split(".")
    other = encoded(GOOD | {"sub": "bob"})
    assert refuses(secret_door, f"{head}.{other}.{signature}")
    assert refuses(secret_door, f"{encoded(HS256 | {'x': 1})}.{body}.{signature}")


@pytest.mark.parametrize("member", ["jku", "x5u", "jwk", "x5c"])
def test_keys_that_a_token_brings_along_are_not_looked_at(issuer, door, member):
    issuer.jwks = [public_jwk("EdDSA", "first", "first")]
    forged = public_jwk("EdDSA", "mallory", "mallory")
    bait = f"{issuer.origin}/bait"
    brought = {"jwk": forged, "jku": bait, "x5u": bait, "x5c": ["AAAA"]}[member]
    assert door.knock(issuer.token()) == OPEN

    for kid in ("first", "mallory", None):
        header = {member: brought, "kid": kid}
        assert refuses(door, issuer.token("mallory", header=header))
        assert refuses(door, issuer.token(header=header)) == (kid == "mallory")
    assert {path for path, _ in issuer.asked} == {"/jwks"}


# How it is written


@pytest.mark.parametrize(
    "header",
    [
        {"crit": ["exp"], "exp": FOR_EVER},
        {"crit": ["b64"], "b64": True},
        {"crit": ["b64"], "b64": False},
        {"crit": ["http://example.com/x"], "http://example.com/x": 1},
        {"crit": []},
        {"crit": "exp"},
        {"b64": False},
        {"b64": True},
        {"kid": 1},
        {"kid": ["first"]},
        {"kid": {"a": 1}},
        {"kid": True},
    ],
    ids=str,
)
def test_headers_that_change_the_meaning_are_refused(issuer, door, secret_door, header):
    assert refuses(secret_door, minted(header=header))
    assert refuses(door, issuer.token(header=header))


def test_a_payload_that_is_not_encoded_is_refused(secret_door):
    signed = f"{encoded(HS256 | {'b64': False, 'crit': ['b64']})}.{json.dumps(GOOD)}"
    assert refuses(secret_door, f"{signed}.{encoded(BY_SECRET(signed.encode()))}")


def resigned(head, body, sign=BY_SECRET):
    """The parts as they stand, under a signature that fits them."""
    return f"{head}.{body}.{encoded(sign(f'{head}.{body}'.encode('utf-8', 'ignore')))}"


@pytest.mark.parametrize(
    "stray", ["=", "==", "?", "!", "+", "/", "\t", "\x0b", "%", "\\"]
)
@pytest.mark.parametrize("part", [0, 1, 2])
@pytest.mark.parametrize("place", ["before", "amid", "behind"])
def test_a_stray_character_anywhere_is_refused(secret_door, stray, part, place):
    parts = minted().split(".")
    at = {"before": 0, "amid": 4, "behind": len(parts[part])}[place]
    parts[part] = parts[part][:at] + stray + parts[part][at:]

    assert refuses(secret_door, ".".join(parts))
    assert refuses(secret_door, resigned(*parts[:2]) if part < 2 else ".".join(parts))


def test_padding_is_refused_even_where_it_would_fit(secret_door):
    for name in ("a", "ab", "abc"):
        head, body, signature = minted({"sub": name}).split(".")
        for part in (head, body, signature):
            padded = part + "=" * (-len(part) % 4)
            if padded != part:
                assert refuses(secret_door, minted({"sub": name}).replace(part, padded))
        padded = body + "=" * (-len(body) % 4)
        assert refuses(secret_door, resigned(head, padded)) == (padded != body)


def test_loose_bits_are_refused(secret_door):
    token = minted()  # 32 bytes of signature: the last character has two loose bits
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    at = alphabet.index(token[-1])
    others = [c for c in alphabet if alphabet.index(c) // 4 == at // 4]
    assert [c for c in others if secret_door.knock(token[:-1] + c) == OPEN] == [
        token[-1]
    ]


def test_the_alphabet_of_plain_base64_is_refused(secret_door):
    for number in range(100):
        token = minted({"n": number})
        usual = token.replace("-", "+").replace("_", "/")
        if usual != token:
            assert refuses(secret_door, usual)
            return
    pytest.fail("no token had a character that differs")


@pytest.mark.parametrize(
    "token",
    [
        "",
        ".",
        "..",
        "...",
        "....",
        "a.b.c",
        "null",
        "undefined",
        "{}",
        "eyJhbGciOiJIUzI1NiJ9",
        "eyJhbGciOiJIUzI1NiJ9..",
        "." * 100_000,
        "a" * 100_000,
        "A" * 100_000 + ".A.A",
        "é.é.é",
        "\xff\xfe.\x80.\x80",
        "Bearer",
        '{"payload":"e30","protected":"eyJhbGciOiJIUzI1NiJ9","signature":"AA"}',
    ],
)
def test_text_that_is_no_token_is_refused(secret_door, token):
    assert refuses(secret_door, token)


def test_a_token_must_have_three_parts(secret_door):
    token = minted()
    head, body, signature = token.split(".")
    for wrong in (
        f"{token}.",
        f".{token}",
        f"{token}.{signature}",
        f"{head}.{body}",
        f"{head}.{body}.",
        f"{head}..{signature}",
        f".{body}.{signature}",
        f"{head}.{signature}",
    ):
        assert refuses(secret_door, wrong), wrong


@pytest.mark.parametrize(
    "header",
    [
        b"",
        b"[]",
        b'"HS256"',
        b"null",
        b"1",
        b"{",
        b'{"alg":"HS256"}x',
        b'{"alg":"HS256",}',
        b"\xef\xbb\xbf" + b'{"alg":"HS256"}',
        b'{"alg":"HS256","x":NaN}',
        b'{"alg":"HS256","x":"\xff"}',
        b'{"alg":"HS256","x":' + b"[" * 100_000,
        b'{"alg":"HS256","x":' + b"9" * 100_000 + b"}",
        '{"alg":"HS256"}'.encode("utf-16"),
    ],
    ids=lambda header: repr(header[:30]),
)
def test_a_header_that_is_no_json_object_is_refused(secret_door, header):
    assert refuses(secret_door, raw(json.dumps(GOOD).encode(), header))


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"[]",
        b'"alice"',
        b"null",
        b"{",
        b'[{"sub":"alice","exp":4102444800}]',
        b'{"sub":"alice","exp":4102444800}}',
        b'{"sub":"alice","exp":4102444800,"x":NaN}',
        b'{"sub":"alice","exp":4102444800,"x":-Infinity}',
        b'{"sub":"alice","exp":4102444800,"x":"\xff"}',
        b'{"sub":"alice","exp":4102444800,"x":' + b"[" * 50_000 + b"]" * 50_000 + b"}",
        b'{"sub":"alice","exp":4102444800,"x":' + b'{"a":' * 50_000,
        b'{"sub":"alice","exp":' + b"9" * 100_000 + b"}",
        b'\xef\xbb\xbf{"sub":"alice","exp":4102444800}',
        '{"sub":"alice","exp":4102444800}'.encode("utf-16"),
        b'{"sub":"alice","exp":4102444800,"x":"\xed\xa0\x80"}',
        b"sub=alice&exp=4102444800",
    ],
    ids=lambda payload: repr(payload[:40]),
)
def test_a_payload_that_is_no_json_object_is_refused(secret_door, payload):
    assert refuses(secret_door, raw(payload))


def test_a_token_inside_a_token_is_refused(secret_door):
    inner = minted()
    assert refuses(secret_door, raw(inner.encode()))
    assert refuses(secret_door, raw(json.dumps(inner).encode()))
    assert refuses(
        secret_door, raw(inner.encode(), b'{"alg":"HS256","cty":"JWT","typ":"JWT"}')
    )


def test_of_a_repeated_claim_the_last_counts(secret_door):
    expired = b'{"sub":"alice","exp":4102444800,"exp":1}'
    assert refuses(secret_door, raw(expired))
    bob = b'{"sub":"alice","exp":4102444800,"sub":"bob"}'
    assert secret_door.verifier.verify(raw(bob)).user_id == "bob"


def test_of_a_repeated_alg_the_last_counts(secret_door):
    payload = json.dumps(GOOD).encode()
    assert refuses(secret_door, raw(payload, b'{"alg":"HS256","alg":"none"}'))


def test_a_token_of_100_kb_is_read_like_any_other(secret_door):
    assert secret_door.knock(minted({"name": "x" * 100_000})) == OPEN
    assert refuses(secret_door, minted({"name": "x" * 100_000})[:-1])


def test_other_claims_may_be_anything(secret_door):
    claims = {"jti": 7, "typ": 1, "name": "\ud83d", "image": None, "deep": [[[[1]]]]}
    assert secret_door.knock(minted(claims, {"typ": "anything", "x": [1]})) == OPEN


# What it says


@pytest.mark.parametrize("claim", ["sub", "exp"])
def test_sub_and_exp_are_required(secret_door, claim):
    assert refuses(secret_door, minted({claim: None}))


@pytest.mark.parametrize("claim", ["sub", "exp", "iss", "aud"])
def test_in_the_issuers_tokens_iss_and_aud_are_required_too(issuer, door, claim):
    assert refuses(door, issuer.token(**{claim: None}))


TIMES = ["1e400", "-1e400", "NaN", "Infinity", '"4102444800"', '""', "true", "false"]
TIMES += ["null", "[4102444800]", "{}", '"2100-01-01T00:00:00Z"']


@pytest.mark.parametrize("claim", ["exp", "nbf", "iat"])
@pytest.mark.parametrize("value", TIMES)
def test_a_time_must_be_a_finite_number(secret_door, claim, value):
    text = f'{{"sub":"alice","exp":4102444800,"{claim}":{value}}}'
    assert refuses(secret_door, raw(text.encode()))


@pytest.mark.parametrize(
    "exp", [0, -1, -1e300, -(10**400), NOW - 10, NOW - 10.0, 1e-300]
)
def test_an_expired_token_is_refused(secret_door, exp):
    answer = secret_door.get("/nothing", minted({"exp": exp}))

    assert answer.status_code == 401
    assert answer.json == {"error": "The token has expired."}


@pytest.mark.parametrize(
    "exp", [NOW - 9, NOW - 9.5, NOW + 0.5, NOW + 1e9, 10**400, 1e300, 2**63, 2**64]
)
def test_exp_may_be_nine_seconds_ago_or_any_later_number(secret_door, exp):
    assert secret_door.knock(minted({"exp": exp})) == OPEN


@pytest.mark.parametrize("claim", ["nbf", "iat"])
def test_a_token_from_the_future_is_refused(secret_door, claim):
    for good in (0, -5, NOW, NOW + 10, NOW + 9.9):
        assert secret_door.knock(minted({claim: good})) == OPEN
    for early in (NOW + 10.5, NOW + 11, 10**400, 1e300):
        assert refuses(secret_door, minted({claim: early}))


def test_the_leeway_is_a_setting(clock):
    strict = Door(clock, BETTER_AUTH_SECRET=SECRET, JWT_LEEWAY="0")

    assert refuses(strict, minted({"exp": NOW}))
    assert refuses(strict, minted({"nbf": NOW + 1}))
    assert strict.knock(minted({"exp": NOW + 1, "nbf": NOW})) == OPEN


@pytest.mark.parametrize(
    "sub",
    [
        *("", 7, 7.5, True, False, [], ["alice"], {}, {"id": "alice"}),
        *("x" * 256, EMOJI[:1] * 256, "a\0b", "\0", "\ud800", "a\udfffb"),
    ],
    ids=lambda sub: ascii(sub)[:20],
)
def test_a_sub_that_is_no_user_id_is_refused(secret_door, sub):
    assert refuses(secret_door, minted({"sub": sub}))


@pytest.mark.parametrize(
    "sub",
    [
        *("1", " ", "x" * 255, EMOJI[:1] * 255, EMOJI, "\u00fc", "u\u0308", "tasks"),
        *("a/b", "..", "\ufffd", "\u202e", "'; DROP TABLE tasks; --", "\t\n"),
        *("null", "None"),
    ],
    ids=lambda sub: ascii(sub)[:20],
)
def test_any_text_that_can_be_stored_is_a_user_id_and_stays_unchanged(secret_door, sub):
    assert secret_door.verifier.verify(minted({"sub": sub})).user_id == sub


@pytest.mark.parametrize(
    "aud",
    [
        *("http://other.example", "", " {origin}", "{origin}/", "{upper}", 7, True),
        *([], [""], ["http://other.example"], [["{origin}"]]),
        *(["{origin}", 7], ["{origin}", None], {"{origin}": 1}, {"a": "{origin}"}),
    ],
    ids=str,
)
def test_another_audience_is_refused(issuer, door, aud):
    def fill(value):
        if isinstance(value, str):
            return value.format(origin=issuer.origin, upper=issuer.origin.upper())
        if isinstance(value, list):
            return [fill(each) for each in value]
        if isinstance(value, dict):
            return {fill(name): fill(each) for name, each in value.items()}
        return value

    assert refuses(door, issuer.token(aud=fill(aud)))


def test_an_audience_may_be_one_of_several_on_either_side(issuer, clock):
    door = Door(
        clock, JWKS_URL=issuer.url, JWT_ISSUER=issuer.origin, JWT_AUDIENCE="a, b"
    )
    for aud in ("a", "b", ["a"], ["x", "b"], ["a", "b", "a"]):
        assert door.knock(issuer.token(aud=aud)) == OPEN
    for aud in ("c", "a, b", "a,b", ["c"]):
        assert refuses(door, issuer.token(aud=aud))


@pytest.mark.parametrize(
    "iss", ["", "http://other.example", "/", 7, True, ["{origin}"], {}, "{origin}/"]
)
def test_another_issuer_is_refused(issuer, door, iss):
    def fill(value):
        return value.format(origin=issuer.origin) if isinstance(value, str) else value

    filled = [fill(each) for each in iss] if isinstance(iss, list) else fill(iss)
    assert refuses(door, issuer.token(iss=filled))


def test_a_secrets_token_need_not_name_issuer_or_audience(secret_door):
    assert secret_door.knock(minted()) == OPEN
    assert secret_door.knock(minted({"iss": "x", "aud": ["y", 7]})) == OPEN


@pytest.mark.parametrize("claim", ["iss", "aud"])
def test_a_secrets_token_must_name_the_issuer_and_audience_that_are_set(clock, claim):
    setting = {"iss": "JWT_ISSUER", "aud": "JWT_AUDIENCE"}[claim]
    door = Door(clock, BETTER_AUTH_SECRET=SECRET, **{setting: "https://app.example"})

    assert door.knock(minted({claim: "https://app.example"})) == OPEN
    assert refuses(door, minted({claim: "https://other.example"}))
    assert refuses(door, minted())


def test_a_secrets_token_need_not_name_what_the_issuers_must(issuer, double_door):
    assert double_door.knock(minted()) == OPEN
    assert double_door.knock(issuer.token()) == OPEN
    assert refuses(double_door, issuer.token(aud=None))


def test_better_auths_session_cookies_are_no_tokens(issuer, double_door):
    """Both kinds of cookie cache: signed by the secret, or by the issuer's key."""
    session = {"session": {"userId": "alice"}, "user": {"id": "alice"}}
    assert refuses(double_door, minted(session | {"sub": None}))
    assert refuses(double_door, issuer.token(aud="better-auth:session-cache"))


# How it is sent


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "bEaReR"])
@pytest.mark.parametrize("space", [" ", "    "])
def test_the_scheme_may_be_in_any_case(secret_door, scheme, space):
    header = f"{scheme}{space}{minted()}"
    assert secret_door.get("/nothing", Authorization=header).status_code == OPEN


@pytest.mark.parametrize(
    "header",
    [
        *("", "Bearer", "Bearer ", "{token}", "Basic {token}", "Token {token}"),
        *("Bearer\t{token}", "Bearer{token}", "Bearer,{token}", "Bearer: {token}"),
        *('Bearer "{token}"', "Bearer {token} {token}", "Bearer {token}\t"),
        *("Bearer {token},Bearer {token}", "Bearer {token}, Bearer x"),
        *("Bearer={token}", "Bearer token={token}", "DPoP {token}"),
        "Bearer Bearer {token}",
    ],
)
def test_any_other_authorization_header_is_refused(secret_door, header):
    answer = secret_door.get("/nothing", Authorization=header.format(token=minted()))

    assert answer.status_code == 401
    assert answer.www_authenticate.type == "bearer"


def test_two_authorization_headers_are_refused(secret_door):
    with secret_door.app.test_client() as client:
        for second in (minted(), minted({"sub": "bob"})):
            pair = [("Authorization", f"Bearer {each}") for each in (minted(), second)]
            assert client.get("/nothing", headers=pair).status_code == 401


def test_a_token_elsewhere_is_no_token(secret_door):
    token = minted()
    with secret_door.app.test_client() as client:
        client.set_cookie("better-auth.session_token", token)
        client.set_cookie("token", token)
        for path in (f"/nothing?token={token}", f"/nothing?access_token={token}"):
            assert client.get(path).status_code == 401
        form = {"access_token": token}
        assert client.post("/nothing", data=form).status_code == 401
        assert client.get("/nothing", headers={"X-Auth": token}).status_code == 401


def test_a_request_without_a_token_is_not_told_that_its_token_is_invalid(secret_door):
    assert secret_door.get("/nothing").headers["WWW-Authenticate"] == "Bearer"
    bad = secret_door.get("/nothing", "bad").headers["WWW-Authenticate"]
    assert bad in ("Bearer error=invalid_token", 'Bearer error="invalid_token"')


# What is remembered


def test_a_verified_token_is_remembered_for_a_minute_at_most(issuer, door):
    token = issuer.token()
    assert door.knock(token) == OPEN
    issuer.rotate("second")
    door.clock.advance(5)
    assert door.knock(issuer.token("second")) == OPEN  # the first key is gone
    door.wall.advance(59)
    assert door.knock(token) == OPEN
    door.wall.advance(1)
    assert refuses(door, token)


def test_a_token_is_not_remembered_past_its_expiry(secret_door):
    token = minted({"exp": NOW + 5})
    assert secret_door.knock(token) == OPEN
    secret_door.wall.advance(14)
    assert secret_door.knock(token) == OPEN  # verified again: the leeway allows it
    secret_door.wall.advance(1)
    assert refuses(secret_door, token)


def test_a_token_is_remembered_by_its_exact_text_only(secret_door):
    token = minted()
    assert secret_door.knock(token) == OPEN
    for other in (f"{token}=", f"{token}\t", f"{token}.", token[:-1], token.lower()):
        assert refuses(secret_door, other)


def test_a_refusal_is_not_remembered(issuer, door):
    token = issuer.token("second")
    assert refuses(door, token)
    issuer.rotate("second")
    door.clock.advance(5)
    assert door.knock(token) == OPEN


def test_each_token_is_remembered_as_its_own_users(secret_door):
    names = [f"user {number}" for number in range(50)]
    for _ in range(2):
        for name in names:
            assert secret_door.verifier.verify(minted({"sub": name})).user_id == name


def test_the_number_of_remembered_tokens_is_bounded(secret_door, monkeypatch):
    monkeypatch.setattr(rules, "REMEMBERED_TOKENS", 50)
    with ThreadPoolExecutor(8) as threads:
        users = [f"user {number}" for number in range(500)]
        minted_for = [minted({"sub": user}) for user in users]
        found = threads.map(secret_door.verifier.verify, minted_for)
        assert [each.user_id for each in found] == users
    assert len(secret_door.verifier.remembered) <= 50 + 8
    assert all(len(digest) == 32 for digest in secret_door.verifier.remembered)


def test_no_bit_of_a_token_may_flip(issuer, door):
    for token in (issuer.token(), issuer.token("second")):
        for at in range(len(token)):
            for bit in (1, 2, 32):
                flipped = token[:at] + chr(ord(token[at]) ^ bit) + token[at + 1 :]
                with pytest.raises(Unauthorized):
                    door.verifier.verify(flipped)


def test_a_long_forgery_takes_little_time(secret_door):
    """Refusing 100 kB takes milliseconds of CPU, whatever they are."""
    for rubbish in (f"{encoded(HS256)}.{'A' * 100_000}.AAAA", "." * 100_000):
        began = time.thread_time()
        for _ in range(20):
            with pytest.raises(Unauthorized):
                secret_door.verifier.verify(rubbish)
        assert (time.thread_time() - began) / 20 < 0.02


def test_a_token_that_makes_the_library_fail_is_a_401(secret_door, monkeypatch, caplog):
    def verify(*args):
        raise TypeError("a bug of the library")

    monkeypatch.setattr(HMACAlgorithm, "verify", verify)

    assert refuses(secret_door, minted())
    assert "a bug of the library" in caplog.text


# Whom it is told to trust


def test_the_secret_is_bytes_of_utf_8(clock):
    secret = "ein Geheimnis mit Umlauten: \u00e4\u00f6\u00fc " * 2
    door = Door(clock, BETTER_AUTH_SECRET=secret)
    assert door.knock(minted(sign=signer("HS256", secret.encode()))) == OPEN


def test_a_new_secret_ends_every_token_of_the_old(clock):
    door = Door(clock, BETTER_AUTH_SECRET="another secret, just as long as the first")

    assert refuses(door, minted())


@pytest.mark.parametrize(
    "environ",
    [
        pytest.param({}, id="nobody-to-trust"),
        pytest.param({"BETTER_AUTH_SECRET": "x" * 31}, id="a-short-secret"),
        pytest.param({"BETTER_AUTH_SECRET": " "}, id="a-blank-secret"),
        pytest.param({"BETTER_AUTH_SECRET": f"ssh-rsa {'A' * 32}"}, id="a-public-key"),
        pytest.param(
            {"BETTER_AUTH_SECRET": json.dumps(public_jwk("EdDSA"))}, id="a-jwk"
        ),
        pytest.param({"JWKS_URL": "https://a.example/jwks"}, id="no-issuer-named"),
        pytest.param({"BETTER_AUTH_URL": "ftp://a.example"}, id="not-http"),
    ],
)
def test_without_someone_to_trust_the_service_does_not_start(clock, environ):
    with pytest.raises(BadSettingsError):
        Door(clock, **environ)


def test_only_the_secret_is_trusted_where_no_issuer_is_named(issuer, secret_door):
    assert refuses(secret_door, issuer.token())
    assert issuer.asked == []


def test_only_the_issuer_is_trusted_where_no_secret_is_set(door):
    assert refuses(door, minted())
    assert refuses(door, minted(sign=lambda some: _hmac("HS256", b"", some)))


# Whose tokens of accounts


ACCOUNTS_TOKEN = {
    "jti": "0b7f6a6e-4c9b-4b43-9f0b-0d4c8e3f6a11",
    "generation": 1,
    "iat": NOW,
}


def test_a_token_of_an_account_needs_accounts_that_are_switched_on(secret_door):
    token = minted(ACCOUNTS_TOKEN, {"kid": "local"})

    for _ in range(2):  # the second time it is remembered
        assert refuses(secret_door, token)
    assert secret_door.knock(minted(ACCOUNTS_TOKEN)) == OPEN
    assert secret_door.knock(minted(ACCOUNTS_TOKEN, {"kid": "other"})) == OPEN


def test_where_the_database_is_away_a_token_of_an_account_is_a_503(clock):
    """Nobody can tell whether it was revoked; every other token is as good as ever."""
    door = Door(clock, BETTER_AUTH_SECRET=SECRET, LOCAL_ACCOUNTS="true")

    answer = door.get("/nothing", minted(ACCOUNTS_TOKEN, {"kid": "local"}))

    assert (answer.status_code, "Retry-After" in answer.headers) == (503, True)
    assert door.knock(minted()) == OPEN


def test_an_issuer_may_call_a_key_local(issuer, double_door):
    issuer.rotate("local")

    assert double_door.knock(issuer.token("local")) == OPEN
