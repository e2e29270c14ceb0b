"""JWK sets as issuers publish them: which keys count, and for which algorithm."""

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ed448, rsa

from tests.identity.conftest import OPEN
from tests.identity.forging import compact, signer
from tests.identity.issuer import private_key, public_jwk

ALGORITHMS = ["EdDSA", "ES256", "ES512", "RS256", "PS256"]


def private_jwk(algorithm):
    maker = jwt.get_algorithm_by_name(algorithm)
    return maker.to_jwk(private_key(algorithm), as_dict=True) | {"alg": algorithm}


def rsa_jwk(bits):
    key = rsa.generate_private_key(65537, bits).public_key()
    return jwt.get_algorithm_by_name("RS256").to_jwk(key, as_dict=True)


def ed448_jwk(**more):
    key = ed448.Ed448PrivateKey.generate().public_key()
    return jwt.get_algorithm_by_name("EdDSA").to_jwk(key, as_dict=True) | more


RSA, EC, OKP = public_jwk("RS256"), public_jwk("ES256"), public_jwk("EdDSA")

UNUSABLE = [
    pytest.param({}, id="empty"),
    pytest.param({"kty": None}, id="kty-null"),
    pytest.param({"kty": "XYZ"}, id="kty-unknown"),
    pytest.param({"kty": ["RSA"]}, id="kty-a-list"),
    pytest.param({"kty": {"a": 1}, "alg": "RS256"}, id="kty-an-object"),
    pytest.param({"kty": "RSA"}, id="rsa-without-n"),
    pytest.param(RSA | {"n": ""}, id="rsa-n-empty"),
    pytest.param(RSA | {"n": 5}, id="rsa-n-a-number"),
    pytest.param(RSA | {"n": "é"}, id="rsa-n-not-ascii"),
    pytest.param(RSA | {"e": []}, id="rsa-e-a-list"),
    pytest.param(RSA | {"e": "AA"}, id="rsa-e-0"),
    pytest.param(RSA | {"e": "AQ"}, id="rsa-e-1"),
    pytest.param(RSA | {"n": "_" * 10_000}, id="rsa-60000-bit"),
    pytest.param(rsa_jwk(1024), id="rsa-1024-bit"),
    pytest.param(
        {"kty": "RSA", "e": "AQAB", "n": "x" + "A" * 84 + "E"}, id="rsa-512-bit"
    ),
    pytest.param(OKP | {"x": "AAAA"}, id="okp-short"),
    pytest.param(OKP | {"crv": "X25519"}, id="okp-x25519"),
    pytest.param(OKP | {"crv": ["Ed25519"]}, id="okp-crv-a-list"),
    pytest.param(EC | {"y": EC["x"]}, id="ec-not-on-the-curve"),
    pytest.param(EC | {"x": None}, id="ec-without-x"),
    pytest.param(EC | {"crv": "P-384"}, id="ec-another-curve"),
    pytest.param(EC | {"alg": "ES512"}, id="p256-says-es512"),
    pytest.param(public_jwk("ES512") | {"alg": "ES256"}, id="p521-says-es256"),
    pytest.param(public_jwk("ES384"), id="es384"),
    pytest.param(RSA | {"alg": "ES256"}, id="rsa-says-es256"),
    pytest.param(OKP | {"alg": "RS256"}, id="okp-says-rs256"),
    pytest.param(RSA | {"alg": "RS512"}, id="rs512"),
    pytest.param(RSA | {"alg": "RSA-OAEP"}, id="for-encryption-by-alg"),
    pytest.param(RSA | {"alg": "none"}, id="alg-none"),
    pytest.param(RSA | {"alg": "HS256"}, id="rsa-says-hs256"),
    pytest.param(RSA | {"alg": 256}, id="alg-a-number"),
    pytest.param(RSA | {"alg": ["RS256"]}, id="alg-a-list"),
    pytest.param(RSA | {"alg": {}}, id="alg-an-object"),
    pytest.param(RSA | {"use": "enc"}, id="use-enc"),
    pytest.param(RSA | {"use": ["sig"]}, id="use-a-list"),
    pytest.param(RSA | {"key_ops": ["sign"]}, id="key-ops-without-verify"),
    pytest.param(RSA | {"key_ops": []}, id="key-ops-empty"),
    pytest.param(RSA | {"key_ops": "verify"}, id="key-ops-text"),
    pytest.param(RSA | {"key_ops": 5}, id="key-ops-a-number"),
    pytest.param(RSA | {"key_ops": {"verify": 1}}, id="key-ops-an-object"),
    pytest.param({"kty": "oct", "k": "c2VjcmV0" * 8}, id="oct"),
    pytest.param({"kty": "oct", "k": "c2VjcmV0" * 8, "alg": "HS256"}, id="oct-hs256"),
    pytest.param({"kty": "oct", "k": "c2VjcmV0" * 8, "alg": "EdDSA"}, id="oct-eddsa"),
    pytest.param({"kty": "oct"}, id="oct-without-k"),
    pytest.param(ed448_jwk(alg="Ed25519"), id="ed448-says-ed25519"),
    pytest.param(ed448_jwk(alg="Ed448"), id="ed448"),
    *(pytest.param(private_jwk(each), id=f"private-{each}") for each in ALGORITHMS),
    pytest.param(None, id="null"),
    pytest.param("key", id="text"),
    pytest.param([EC], id="a-list"),
]


@pytest.mark.parametrize("bad", UNUSABLE)
def test_a_key_that_cannot_be_used_does_not_spoil_the_others(issuer, keys, bad):
    good = public_jwk("EdDSA", "good", "good")
    named = bad | {"kid": "bad"} if isinstance(bad, dict) else bad
    issuer.jwks = [named, good, named]

    assert keys.find("good", "EdDSA").key_id == "good"
    for algorithm in [*ALGORITHMS, "Ed25519", "HS256", "none"]:
        assert keys.find("bad", algorithm) is None


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_every_algorithm_works_in_a_mixed_set(issuer, door, algorithm):
    issuer.jwks = [public_jwk(each, each, each) for each in ALGORITHMS]

    assert door.knock(issuer.token(algorithm, algorithm)) == OPEN


@pytest.mark.parametrize("kid", ["kid", None])
@pytest.mark.parametrize(
    "more",
    [
        pytest.param({"use": "sig"}, id="use-sig"),
        pytest.param({"key_ops": ["verify"]}, id="key-ops"),
        pytest.param({"key_ops": ["sign", "verify"]}, id="more-key-ops"),
        pytest.param({"x5c": ["nonsense"], "x5t": "x", "ext": True}, id="more-members"),
    ],
)
def test_keys_for_verifying_work_with_and_without_kid(issuer, door, more, kid):
    issuer.jwks = [public_jwk("RS256", kid, "kid") | more]

    header = {} if kid else {"kid": None}
    assert door.knock(issuer.token("kid", "RS256", header=header)) == OPEN


@pytest.mark.parametrize("member", ["use", "key_ops", "alg", "d", "x5u"])
def test_a_member_that_is_null_counts_as_absent(issuer, keys, member):
    issuer.jwks = [public_jwk("ES256", "kid") | {member: None}]

    assert keys.find("kid", "ES256")


@pytest.mark.parametrize("algorithm", ["EdDSA", "ES256", "ES512", "RS256"])
def test_without_alg_a_key_serves_what_its_type_implies(issuer, door, algorithm):
    issuer.jwks = [public_jwk(algorithm, "kid", "kid", alg=None)]

    assert door.knock(issuer.token("kid", algorithm)) == OPEN


def test_without_alg_an_rsa_key_serves_rs256_and_not_ps256(issuer, door):
    issuer.jwks = [public_jwk("RS256", "kid", "kid", alg=None)]
    key = private_key("RS256", "kid")
    token = compact({"alg": "PS256", "kid": "kid"}, {}, signer("PS256", key))

    assert door.knock(token) == 401


@pytest.mark.parametrize("published", ["EdDSA", "Ed25519", None])
@pytest.mark.parametrize("named", ["EdDSA", "Ed25519"])
def test_ed25519_goes_by_both_its_names(issuer, door, published, named):
    issuer.jwks = [public_jwk("EdDSA", "kid", "kid", alg=published)]

    assert door.knock(issuer.token("kid", "EdDSA", header={"alg": named})) == OPEN


def test_ed448_goes_by_eddsa_alone(issuer, keys):
    issuer.jwks = [ed448_jwk(alg="EdDSA", kid="kid")]

    assert keys.find("kid", "EdDSA").algorithm_name == "EdDSA"
    # A token that says Ed25519 does not fit this key and is refused.
    assert keys.find("kid", "Ed25519").algorithm_name == "EdDSA"


def test_the_algorithm_decides_between_two_keys_of_one_kid(issuer, door):
    issuer.jwks = [
        public_jwk("ES256", "same", "one"),
        public_jwk("EdDSA", "same", "two"),
    ]

    assert door.knock(issuer.token("one", "ES256", header={"kid": "same"})) == OPEN
    assert door.knock(issuer.token("two", "EdDSA", header={"kid": "same"})) == OPEN


def test_a_token_without_kid_gets_the_only_key_of_its_algorithm(issuer, door):
    issuer.jwks = [
        public_jwk("ES256", "a", "a"),
        public_jwk("RS256", "b", "b"),
        public_jwk("RS256", "c", "c"),
    ]

    assert door.knock(issuer.token("a", "ES256", header={"kid": None})) == OPEN
    assert door.knock(issuer.token("b", "RS256", header={"kid": None})) == 401
    assert door.knock(issuer.token("d", "ES512", header={"kid": None})) == 401
    assert len(issuer.asked) == 1


def test_a_kid_that_is_no_text_is_no_kid(issuer, keys):
    issuer.jwks = [public_jwk("ES256", kid=1), public_jwk("RS256", kid=["x"])]

    assert keys.find(None, "ES256")
    assert keys.find(None, "RS256")
    assert keys.find("1", "ES256") is None


def test_a_kid_is_compared_exactly(issuer, keys):
    issuer.jwks = [public_jwk("ES256", "Kid")]

    assert keys.find("Kid", "ES256")
    assert keys.find("kid", "ES256") is None
