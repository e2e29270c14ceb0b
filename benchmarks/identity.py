"""CPU that identity adds to a request, beside the bare signature check.

    python -m benchmarks.identity

Medians over interleaved rounds of this thread's CPU time, in microseconds, of the whole
hook: header, token, path. Bare is what the cryptography alone costs; read is a token
that is not remembered, without it.
"""

import itertools
import json
import statistics
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from flask import Flask

from todo_service import create_app, identity
from todo_service.identity import jwks, jws
from todo_service.identity.keys import KeySet
from todo_service.identity.tokens import Verifier
from todo_service.settings import load

ORIGIN = "https://app.example.com"
SECRET = "a secret of the benchmark, long enough"  # noqa: S105
ENVIRON = {
    "DATABASE_URL": "postgresql://nobody@127.0.0.1/none",
    "BETTER_AUTH_URL": ORIGIN,
    "BETTER_AUTH_SECRET": SECRET,
}
ROUNDS, REPEATED = 15, 200
TARGETS = {"remembered": 30, "read": 50}

KEYS: dict[str, Any] = {
    "HS256": SECRET,
    "EdDSA": ed25519.Ed25519PrivateKey.generate(),
    "ES256": ec.generate_private_key(ec.SECP256R1()),
    "RS256": rsa.generate_private_key(65537, 2048),
}

# As Better Auth sends it: the whole user object by default.
CLAIMS: dict[str, Any] = {
    "name": "Alice Liddell",
    "email": "alice@example.com",
    "emailVerified": True,
    "image": "https://example.com/avatars/alice.png",
    "createdAt": "2026-11-20T10:00:00.123Z",
    "updatedAt": "2026-11-20T10:00:00.123Z",
    "id": "a" * 32,
    "sub": "a" * 32,
    "iat": 1763700000,
    "exp": 4102444800,
    "iss": ORIGIN,
    "aud": ORIGIN,
}


def main() -> None:
    """Measure every algorithm, and print a table."""
    print(f"{'':8}{'bare':>8}{'remembered':>12}{'read':>8}   µs of CPU")
    for algorithm in KEYS:
        bare, remembered, verified = measure(algorithm)
        found = {"remembered": remembered, "read": verified - bare}
        missed = [name for name, target in TARGETS.items() if found[name] > target]
        print(
            f"{algorithm:8}{bare:8.1f}{remembered:12.1f}{found['read']:8.1f}",
            f"  missed: {', '.join(missed)}" if missed else "",
        )


def measure(algorithm: str) -> list[float]:
    """The medians: bare check, remembered token, token not remembered."""
    app = create_app(ENVIRON)
    verifier = app.extensions["verifier"] = make_verifier()
    tokens = [make_token(algorithm, number) for number in range(REPEATED)]
    parts = [jws.parse(token.encode()) for token in tokens]
    key = verifier._trust(parts[0].header)[0]
    checks = [partial(key.signed, each) for each in parts]
    hooks = [identity._guard] * REPEATED
    rounds = []
    for _ in range(ROUNDS):
        verifier._remembered.clear()
        # In requests all three: what a request does empties the processor's caches.
        rounds.append([mean_cost(app, tokens, each) for each in (checks, hooks, hooks)])
    bare, read, remembered = zip(*rounds, strict=True)
    return [statistics.median(each) for each in (bare, remembered, read)]


def mean_cost(app: Flask, tokens: list[str], actions: Sequence[Callable]) -> float:
    """Microseconds of CPU for one action, each in a request of its own."""
    return statistics.mean(map(partial(cost, app), tokens, actions))


def cost(app: Flask, token: str, action: Callable) -> float:
    """Microseconds of CPU for an action in a request that brings this token."""
    bearer = {"Authorization": f"Bearer {token}"}
    with app.test_request_context(f"/api/{CLAIMS['sub']}/tasks", headers=bearer):
        began = time.thread_time()
        action()
        return (time.thread_time() - began) * 1e6


def make_verifier() -> Verifier:
    """A verifier that has the keys and will not ask for them."""
    keys = KeySet("http://127.0.0.1:1/jwks", clock=itertools.repeat(0.0).__next__)
    keys._fetched = (jwks.parse(make_document()), 0.0)
    return Verifier(load(ENVIRON), keys)


def make_document() -> bytes:
    """The JWK set of all keys."""
    listed = []
    for algorithm, key in KEYS.items():
        if not isinstance(key, str):
            maker = jwt.get_algorithm_by_name(algorithm)
            public = maker.to_jwk(key.public_key(), as_dict=True)
            listed.append(public | {"alg": algorithm, "kid": make_kid(algorithm)})
    return json.dumps({"keys": listed}).encode()


def make_kid(algorithm: str) -> str:
    """32 characters, as Better Auth's are."""
    return algorithm.ljust(32, "x")


def make_token(algorithm: str, number: int) -> str:
    """One of many tokens of one user."""
    return jwt.encode(
        CLAIMS | {"iat": CLAIMS["iat"] + number},
        KEYS[algorithm],
        algorithm,
        headers={"kid": make_kid(algorithm), "typ": None},
    )


if __name__ == "__main__":
    main()
