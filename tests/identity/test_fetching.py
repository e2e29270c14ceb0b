"""Fetching from a server that hangs, drips, floods, leads astray, or is just broken."""

import datetime
import ipaddress
import socket
import time
from http.client import HTTPException
from urllib.error import HTTPError, URLError

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509.oid import NameOID

from tests.identity import issuer as issuers
from tests.identity.conftest import PATIENCE_SECONDS
from tests.identity.issuer import Issuer, RawDrip, private_key
from todo_service.identity import jwks
from todo_service.identity.fetching import LIMIT_BYTES, fetch

SHORT_SECONDS = 0.5  # for servers that never end
HEAD = b"HTTP/1.1 200 OK\r\n"
PROXIES = ("http_proxy", "https_proxy", "all_proxy", "no_proxy")


@pytest.fixture(autouse=True)
def no_proxies(monkeypatch):
    for name in PROXIES:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def proxy():
    """A proxy, which is a server that is asked for whole URLs."""
    proxy = Issuer()
    yield proxy
    proxy.close()


def fetched(url):
    return [key.key_id for key in jwks.parse(fetch(url, seconds=PATIENCE_SECONDS))]


def test_a_good_answer_is_its_body(issuer):
    assert fetched(issuer.url) == ["first", "first"]


def test_the_service_says_who_it_is_and_what_it_wants(issuer):
    fetch(issuer.url, seconds=PATIENCE_SECONDS)

    (_, headers), *_ = issuer.asked
    assert headers["User-Agent"] == "todo-service"
    assert headers["Accept"] == "application/json"


@pytest.mark.parametrize(
    "behave",
    [
        pytest.param(issuers.hang, id="hangs"),
        pytest.param(issuers.drip(b"HTTP/1.1 "), id="drips-the-status"),
        pytest.param(issuers.drip(HEAD + b"X-Long: "), id="drips-a-header"),
        pytest.param(issuers.drip(HEAD + b"\r\n"), id="drips-the-body"),
        pytest.param(
            issuers.drip(HEAD + b"Content-Length: 90000\r\n\r\n"), id="drips-its-length"
        ),
        pytest.param(
            issuers.drip(HEAD + b"Transfer-Encoding: chunked\r\n\r\n8000\r\n"),
            id="drips-a-chunk",
        ),
    ],
)
def test_no_answer_outlasts_the_deadline(issuer, behave):
    issuer.behave = behave
    began = time.monotonic()

    with pytest.raises(TimeoutError):
        fetch(issuer.url, seconds=SHORT_SECONDS)

    assert time.monotonic() - began < PATIENCE_SECONDS


@pytest.mark.parametrize(
    "beginning",
    [
        pytest.param(b"\x16\x03\x03\x40\x00", id="tls-handshake"),
        pytest.param(b"HTTP/1.1 200 OK\r\nX-Long: ", id="proxy-tunnel"),
    ],
)
def test_no_handshake_outlasts_the_deadline(monkeypatch, beginning):
    server = RawDrip(beginning)
    url = f"https://{server.host}/jwks"
    if beginning.startswith(b"HTTP"):
        monkeypatch.setenv("https_proxy", f"http://{server.host}")
        url = "https://issuer.invalid/jwks"
    began = time.monotonic()
    try:
        with pytest.raises(TimeoutError):
            fetch(url, seconds=SHORT_SECONDS)
        assert time.monotonic() - began < PATIENCE_SECONDS
    finally:
        server.close()


@pytest.mark.parametrize(
    "beginning",
    [
        pytest.param(HEAD + b"\r\n", id="until-it-closes"),
        pytest.param(HEAD + b"Content-Length: 99999999999\r\n\r\n", id="a-length"),
        pytest.param(
            HEAD + b"Transfer-Encoding: chunked\r\n\r\nfffffffff\r\n", id="a-chunk"
        ),
        pytest.param(
            HEAD + b"Transfer-Encoding: chunked\r\n\r\n-5\r\n", id="a-negative-chunk"
        ),
    ],
)
def test_an_endless_answer_is_cut_off_at_the_limit(issuer, beginning):
    issuer.behave = issuers.flood(beginning)

    with pytest.raises(ValueError, match="larger than"):
        fetch(issuer.url, seconds=PATIENCE_SECONDS)

    assert issuer.sent < 16 * LIMIT_BYTES  # what fits into the buffers of two sockets


def test_an_answer_may_be_as_large_as_the_limit_and_no_larger(issuer):
    issuer.behave = issuers.answer(body=b" " * LIMIT_BYTES)
    assert len(fetch(issuer.url, seconds=PATIENCE_SECONDS)) == LIMIT_BYTES

    issuer.behave = issuers.answer(body=b" " * (LIMIT_BYTES + 1))
    with pytest.raises(ValueError, match="larger than"):
        fetch(issuer.url, seconds=PATIENCE_SECONDS)


def test_a_redirect_within_the_origin_is_followed(issuer):
    issuer.behave = issuers.redirect("/elsewhere")
    assert fetched(issuer.url) == ["first", "first"]

    issuer.behave = issuers.redirect(f"{issuer.origin}/elsewhere")
    assert fetched(issuer.url) == ["first", "first"]


def test_the_body_of_a_redirect_is_not_read(issuer):
    issuer.behave = issuers.redirect("/elsewhere", endless=True)

    assert fetched(issuer.url) == ["first", "first"]
    assert issuer.sent < 16 * LIMIT_BYTES


@pytest.mark.parametrize(
    "to",
    [
        pytest.param("http://127.0.0.1:{other}/keys", id="another-port"),
        pytest.param("http://localhost:{port}/keys", id="another-name"),
        pytest.param("https://127.0.0.1:{port}/keys", id="another-scheme"),
        pytest.param("//127.0.0.1:{other}/keys", id="without-a-scheme"),
        pytest.param("http://127.0.0.1:{port}@127.0.0.1:{other}/k", id="credentials"),
        pytest.param("file:///etc/passwd", id="a-file"),
        pytest.param("ftp://127.0.0.1:{port}/keys", id="ftp"),
    ],
)
def test_a_redirect_to_another_origin_is_refused(issuer, proxy, to):
    issuer.behave = issuers.redirect(to.format(port=issuer.port, other=proxy.port))

    with pytest.raises((OSError, ValueError)):
        fetch(issuer.url, seconds=PATIENCE_SECONDS)

    assert not proxy.asked
    assert len(issuer.asked) == 1


def test_a_redirect_loop_ends(issuer):
    issuer.behave = issuers.redirect("/jwks")

    with pytest.raises(OSError, match="redirect"):
        fetch(issuer.url, seconds=PATIENCE_SECONDS)

    assert len(issuer.asked) <= 11


@pytest.mark.parametrize(
    "behave",
    [
        pytest.param(issuers.answer(204), id="204"),
        pytest.param(issuers.answer(206, b'{"keys":['), id="206"),
        pytest.param(issuers.answer(304), id="304"),
        pytest.param(issuers.answer(404, b"{}"), id="404"),
        pytest.param(issuers.answer(429, b"{}"), id="429"),
        pytest.param(issuers.answer(500, b"{}"), id="500"),
        pytest.param(issuers.reset, id="reset"),
        pytest.param(lambda handler: None, id="closed-without-a-word"),
        pytest.param(lambda handler: handler.send(b"SSH-2.0-x\r\n"), id="not-http"),
    ],
)
def test_anything_but_a_good_answer_is_a_failure(issuer, behave):
    issuer.behave = behave

    with pytest.raises((OSError, ValueError, HTTPException)):
        fetch(issuer.url, seconds=PATIENCE_SECONDS)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "127.1.2.3"])
def test_a_loopback_issuer_is_asked_without_the_proxy(issuer, proxy, monkeypatch, host):
    monkeypatch.setenv("http_proxy", proxy.origin)

    # The server listens on 127.0.0.1 only. So 127.1.2.3 may refuse the connection.
    try:
        fetched(f"http://{host}:{issuer.port}/jwks")
    except OSError:
        assert host == "127.1.2.3"

    assert not proxy.asked


def test_another_issuer_is_asked_through_the_proxy(proxy, monkeypatch):
    monkeypatch.setenv("http_proxy", proxy.origin)

    assert fetched("http://issuer.invalid/jwks") == ["first", "first"]
    assert [path for path, _ in proxy.asked] == ["http://issuer.invalid/jwks"]


def test_redirects_work_through_a_proxy(proxy, monkeypatch):
    monkeypatch.setenv("http_proxy", proxy.origin)
    proxy.behave = issuers.redirect("/elsewhere")

    assert fetched("http://issuer.invalid/jwks") == ["first", "first"]
    assert proxy.asked[-1][0] == "http://issuer.invalid/elsewhere"


def test_a_host_in_no_proxy_is_asked_without_the_proxy(proxy, monkeypatch):
    monkeypatch.setenv("http_proxy", proxy.origin)
    monkeypatch.setenv("no_proxy", "192.0.2.1")  # an address that nobody has

    with pytest.raises((URLError, TimeoutError)):
        fetch("http://192.0.2.1/jwks", seconds=SHORT_SECONDS)

    assert not proxy.asked


@pytest.fixture
def certificate(tmp_path):
    """A certificate for 127.0.0.1 that nobody trusts yet, and its key, in one file."""
    key = private_key("ES256", "tls")
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "issuer")])
    now = datetime.datetime.now(datetime.UTC)
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    signed = (
        x509.CertificateBuilder(name, name, key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path / "issuer.pem"
    file.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + signed.public_bytes(serialization.Encoding.PEM)
    )
    return file


def test_an_issuer_has_to_prove_its_name(certificate, monkeypatch):
    issuer = Issuer(certificate=certificate)
    try:
        with pytest.raises(OSError, match="certificate"):
            fetch(issuer.url, seconds=PATIENCE_SECONDS)

        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        assert fetched(issuer.url) == ["first", "first"]
    finally:
        issuer.close()


@pytest.fixture
def black_hole(issuer):
    """Swallows whoever connects to the issuer's port by IPv6: its queue is full."""
    try:
        hole = socket.create_server(
            ("::1", issuer.port), family=socket.AF_INET6, backlog=0
        )
    except OSError:
        pytest.skip("there is no IPv6 here")
    waiting = [socket.socket(socket.AF_INET6) for _ in range(4)]
    for each in waiting:
        each.setblocking(False)
        each.connect_ex(("::1", issuer.port))
    yield
    for each in (hole, *waiting):
        each.close()


@pytest.mark.usefixtures("black_hole")
def test_an_address_that_does_not_answer_leaves_time_for_the_next(issuer, monkeypatch):
    def both(host, port, *args):
        return [
            (socket.AF_INET6, socket.SOCK_STREAM, 6, "", ("::1", port, 0, 0)),
            (socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port)),
        ]

    monkeypatch.setattr(socket, "getaddrinfo", both)  # what a resolver answers

    document = fetch(f"http://localhost:{issuer.port}/jwks", seconds=PATIENCE_SECONDS)

    assert jwks.parse(document)


@pytest.mark.parametrize("beginning", [HEAD + b"X-Long: ", HEAD + b"\r\n"])
def test_no_answer_over_tls_outlasts_the_deadline(certificate, monkeypatch, beginning):
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    issuer = Issuer(certificate=certificate)
    issuer.behave = issuers.drip(beginning)
    began = time.monotonic()
    try:
        with pytest.raises(TimeoutError):
            fetch(issuer.url, seconds=SHORT_SECONDS)
        assert time.monotonic() - began < PATIENCE_SECONDS
    finally:
        issuer.close()


def test_the_connection_of_an_error_answer_is_closed(issuer):
    issuer.behave = issuers.answer(500, b"{}")

    with pytest.raises(HTTPError) as refusal:
        fetch(issuer.url, seconds=PATIENCE_SECONDS)

    assert refusal.value.fp.closed
