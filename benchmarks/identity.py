"""Measures the CPU that identity adds to a request, beside the bare signature check.

    python -m benchmarks.identity

Medians over interleaved rounds of this thread's CPU time, in microseconds. `bare` is
what the cryptography alone costs. `remembered` is the whole hook (header, token, path)
for a token that was verified before. `read` is the hook for a new token, without
`bare`.
"""

import itertools
import json
import statistics
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from flask import Flask

from todo_service import create_app, identity
from todo_service.identity.tokens import Verifier
from todo_service.settings import load
from todo_service.web import base64url

ORIGIN = "https://app.example.com"
SECRET = "a secret of the benchmark, long enough"  # noqa: S105
ENVIRON = {
    "DATABASE_URL": "postgresql://nobody@127.0.0.1/none",
    "BETTER_AUTH_URL": ORIGIN,
    "BETTER_AUTH_SECRET": SECRET,
    "RATE_LIMIT": "",
}
ROUNDS, REPEATED = 15, 200
TARGETS_MICROSECONDS = {"remembered": 30, "read": 100}

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
    verifier = make_verifier()
    print(f"{'':8}{'bare':>8}{'remembered':>12}{'read':>8}   µs of CPU")
    for algorithm in KEYS:
        bare, remembered, verified = measure(verifier, algorithm)
        found = {"remembered": remembered, "read": verified - bare}
        missed = [
            name
            for name, target in TARGETS_MICROSECONDS.items()
            if found[name] > target
        ]
        print(
            f"{algorithm:8}{bare:8.1f}{remembered:12.1f}{found['read']:8.1f}",
            f"  missed: {', '.join(missed)}" if missed else "",
        )


def measure(verifier: Verifier, algorithm: str) -> list[float]:
    """The medians: bare check, remembered token, token not remembered."""
    app = create_app(ENVIRON)
    app.extensions["verifier"] = verifier
    tokens = [make_token(algorithm, number) for number in range(REPEATED)]
    checks = [make_check(algorithm, token) for token in tokens]
    hooks = [identity.guard] * REPEATED
    rounds = []
    for _ in range(ROUNDS):
        verifier.remembered.clear()
        # In requests all three: what a request does empties the processor's caches.
        rounds.append([mean_cost(app, tokens, each) for each in (checks, hooks, hooks)])
    bare, read, remembered = zip(*rounds, strict=True)
    return [statistics.median(each) for each in (bare, remembered, read)]


def make_check(algorithm: str, token: str) -> Callable[[], bool]:
    """The bare check of a token's signature."""
    signed, _, signature = token.encode().rpartition(b".")
    key = KEYS[algorithm]
    key = key.encode() if isinstance(key, str) else key.public_key()
    verify = jwt.get_algorithm_by_name(algorithm).verify
    return partial(verify, signed, key, base64url.decode(signature))


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
    """A verifier that has fetched the keys and will not fetch them again."""
    with issuer() as url:
        verifier = identity.make_verifier(
            load(ENVIRON | {"JWKS_URL": url}),
            monotonic=itertools.repeat(0.0).__next__,
        )
        verifier.verify(make_token("EdDSA", 0))
    return verifier


@contextmanager
def issuer() -> Iterator[str]:
    """The URL of a server that publishes the public keys."""
    server = HTTPServer(("127.0.0.1", 0), Publisher)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/jwks"
    server.shutdown()
    server.server_close()


class Publisher(BaseHTTPRequestHandler):
    """Answers every request with the JWK set."""

    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(make_document())

    def log_message(self, *args: Any) -> None:
        """Says nothing, so that the table stands alone."""


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
