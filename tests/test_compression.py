"""Large answers are compressed for clients that accept it; nothing else changes."""

import gzip

import pytest

from tests.test_errors import words


def headers_of(answer):
    """All headers but those that differ between any two answers."""
    own = {"X-Request-ID", "RateLimit-Remaining", "RateLimit-Reset"}
    return {k: v for k, v in answer.headers.items() if k not in own}


@pytest.fixture
def long(alice):
    """A task of Alice's whose answer has more than 1 KiB."""
    return alice.post("", json={"title": "Long", "description": "milk " * 900})


def get(client, path, accepted, **headers):
    return client.get(path, headers={"Accept-Encoding": accepted} | headers)


def test_a_large_answer_is_compressed_and_says_the_same(alice, long):
    for path in (long.location, "", "changes"):
        packed, plain = get(alice, path, "gzip"), alice.get(path)

        assert gzip.decompress(packed.data) == plain.data
        assert packed.content_encoding == "gzip"
        assert int(packed.headers["Content-Length"]) == len(packed.data)
        assert len(packed.data) < len(plain.data) / 2
        changed = {"Content-Encoding", "Content-Length"}
        assert headers_of(packed).items() - headers_of(plain).items() == {
            (name, packed.headers[name]) for name in changed
        }


@pytest.mark.parametrize(
    ("accepted", "compressed"),
    [
        ("gzip", True),
        ("GZip", True),
        ("gzip, deflate, br, zstd", True),
        ("br;q=1.0, gzip;q=0.8, *;q=0.1", True),
        ("gzip;q=0.001", True),
        ("*", True),
        ("*;q=0.5", True),
        ("identity;q=0.5, gzip;q=0.5", True),
        ("identity;q=0, gzip", True),
        ("deflate, *;q=0.5", True),
        ("", False),
        ("identity", False),
        ("br, zstd, deflate", False),
        ("gzip;q=0", False),
        ("gzip;q=0.0, *", False),
        ("*, gzip;q=0", False),
        ("*;q=0", False),
        ("identity, *;q=0", False),
        ("identity, gzip;q=0.5", False),
        ("gzip;q=0.2, identity;q=0.3", False),
        ("gzipped", False),
        (";;,,q=1", False),
        ("gzip," + " " * 1020, False),
    ],
)
def test_an_answer_is_compressed_only_if_the_client_accepts_it(
    alice, long, accepted, compressed
):
    answer = get(alice, long.location, accepted)

    assert answer.content_encoding == ("gzip" if compressed else None)


def test_an_answer_is_compressed_from_1_kib_on(alice, milk):
    def change(length):
        body = {"description": "y" * length}
        return alice.patch(
            milk.location, json=body, headers={"Accept-Encoding": "gzip"}
        )

    others = int(change(1).headers["Content-Length"]) - 1
    below, enough = change(1023 - others), change(1024 - others)

    assert (below.content_encoding, len(below.data)) == (None, 1023)
    assert enough.content_encoding == "gzip"
    assert len(gzip.decompress(enough.data)) == 1024


def test_tags_are_left_as_they_are_and_compare_as_ever(alice, long):
    packed = get(alice, long.location, "gzip")

    again = get(
        alice, long.location, "gzip", **{"If-None-Match": packed.headers["ETag"]}
    )
    changed = alice.patch(
        long.location,
        json={"completed": True},
        headers={"If-Match": packed.headers["ETag"], "Accept-Encoding": "gzip"},
    )

    assert packed.headers["ETag"] == '"1"'
    assert (again.status_code, again.data, again.content_encoding) == (304, b"", None)
    assert (changed.status_code, changed.headers["ETag"]) == (200, '"2"')


def test_head_has_the_headers_of_get(alice, long):
    for accepted in ("gzip", "identity"):
        got = get(alice, long.location, accepted)
        head = alice.head(long.location, headers={"Accept-Encoding": accepted})

        assert headers_of(head) == headers_of(got)
        assert head.data == b""


def test_a_large_error_is_compressed_too(alice):
    answer = alice.post(
        "",
        json={f"unknown {number} {'x' * 50}": 1 for number in range(20)},
        headers={"Accept-Encoding": "gzip", "Accept": "application/problem+json"},
    )

    assert (answer.status_code, answer.content_encoding) == (400, "gzip")
    assert (
        len(alice.application.json.loads(gzip.decompress(answer.data))["errors"]) == 20
    )


@pytest.mark.parametrize("path", ["/health", "", "/nowhere", "long", "304"])
def test_every_answer_varies_with_the_accepted_codings(alice, long, path):
    tag = {"If-None-Match": long.headers["ETag"]} if path == "304" else {}
    whole = long.location if path in ("long", "304") else path

    for accepted in ("gzip", ""):
        answer = get(alice, whole, accepted, **tag)

        assert len(answer.headers.getlist("Vary")) == 1
        assert words(answer.headers["Vary"]) >= {"origin", "accept-encoding"}


def test_the_same_answer_is_the_same_bytes(alice, long):
    assert get(alice, "", "gzip").data == get(alice, "", "gzip").data
