"""Project Wycheproof's JWS vectors, against the whole door.

`wycheproof_jws.json` holds the public keys and the tokens of C2SP/wycheproof's
`json_web_signature_test.json` (Apache License 2.0), as `[id, comment, token]`. The
secrets of its HS256 groups are not in it: those tokens are refused here for their key.
`test_tokens.py` forges the same tokens with a secret of its own.

The payloads are no claims of ours, so the door refuses every token. Its message tells
whether it refused the signature or, after that, the payload.
"""

import json
from pathlib import Path

import orjson
import pytest
from werkzeug.exceptions import Unauthorized

from tests.identity.conftest import SECRET, Clock, Door
from tests.identity.issuer import Issuer, answer
from todo_service.identity import jwks

VECTORS = json.loads(Path(__file__).with_name("wycheproof_jws.json").read_text())
TOKENS = {number: token for number, _, token in VECTORS["tokens"]}

# ES256 18, 378; RS256 33, 259 to 263; PS256 272 to 275, 287, 288; RFC 7520's RS256.
VALID = {18, 33, *range(259, 264), *range(272, 276), 287, 288, 345, 349, 378}

# Good signatures by keys that `use` or `key_ops` keeps from verifying.
FORBIDDEN = {
    353: {"use": "enc"},
    354: {"use": "enc"},
    355: {"key_ops": ["encrypt"]},
    356: {"key_ops": ["encrypt"]},
}

# Valid elsewhere, refused here.
REFUSED = {
    "the contract has no RS384, RS512, PS384, PS512": {
        *range(264, 272),
        *range(320, 324),
        *range(325, 329),
        346,
        350,
    },
    "the key says ES521, which is no algorithm; it is not in the file": {347, 351},
    "the secret is not in the file": {1, 348, 352, 357, 358, 359, 376, 377},
    "a stray character; RFC 7515, 2 has none in base64url": {372, 373},
}


# What the door says to a token whose signature it has accepted. The payload of one
# vector is claims.
ACCEPTED = {
    "The token's claims are not a JSON object.",
    "The token is another issuer's.",
}


def has_good_signature(door, token):
    with pytest.raises(Unauthorized) as refusal:
        door.verifier.verify(token)
    return refusal.value.description in ACCEPTED


def test_exactly_the_valid_signatures_are_accepted(keyed_door):
    good = {n for n, token in TOKENS.items() if has_good_signature(keyed_door, token)}

    assert good == VALID | FORBIDDEN.keys()


@pytest.mark.parametrize(("number", "more"), FORBIDDEN.items())
def test_a_key_that_must_not_verify_is_left_out(keyed_door, number, more):
    described = [jwk | more for jwk in VECTORS["keys"]]

    with pytest.raises(ValueError, match="no key that can be used"):
        jwks.parse(orjson.dumps({"keys": described}))
    assert has_good_signature(keyed_door, TOKENS[number])


def test_what_is_refused_though_valid_has_a_reason():
    refused = set().union(*REFUSED.values())

    assert not refused & VALID
    assert refused <= TOKENS.keys()


@pytest.mark.parametrize("number", TOKENS)
def test_the_door_answers_401_to_every_vector(keyed_door, number):
    token = TOKENS[number]

    answered = keyed_door.get("/nothing", token)

    assert answered.status_code == 401
    assert answered.json.keys() == {"error"}


@pytest.fixture(scope="module")
def keyed_door():
    """The door of an issuer with all the keys. What it refuses does not change it."""
    issuer = Issuer()
    issuer.behave = answer(body=orjson.dumps({"keys": VECTORS["keys"]}))
    yield Door(Clock(), BETTER_AUTH_URL=issuer.origin, BETTER_AUTH_SECRET=SECRET)
    issuer.close()
