"""An issuer of tokens on a real socket, which can be told to misbehave."""

import socket
import ssl
import struct
import threading
from contextlib import suppress
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import jwt
import orjson
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from tests.identity.forging import compact, signer

FOR_EVER = 4102444800
CURVES = {"ES256": ec.SECP256R1(), "ES384": ec.SECP384R1(), "ES512": ec.SECP521R1()}
BLOCK = b" " * 65536


@cache
def private_key(algorithm, name=""):
    """A key of the tests, made once; another name is another key."""
    if algorithm in ("EdDSA", "Ed25519"):
        return ed25519.Ed25519PrivateKey.generate()
    if algorithm.startswith("ES"):
        return ec.generate_private_key(CURVES[algorithm])
    return rsa.generate_private_key(65537, 2048)


def public_jwk(algorithm, kid=None, name="", **more):
    """The JWK of such a key, as Better Auth publishes it; None leaves a member out."""
    maker = jwt.get_algorithm_by_name("EdDSA" if algorithm == "Ed25519" else algorithm)
    public = maker.to_jwk(private_key(algorithm, name).public_key(), as_dict=True)
    public.pop("key_ops", None)
    everything = public | {"alg": algorithm, "kid": kid} | more
    return {name: value for name, value in everything.items() if value is not None}


class Issuer:
    """Publishes `jwks`, the way `behave` says, and remembers who asked for what."""

    def __init__(self, *, certificate=None):
        self.jwks = [public_jwk("EdDSA", "first", "first")]
        self.behave = publish
        self.asked = []
        self.sent = 0
        self.let_go = threading.Event()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.issuer = self
        scheme = "http"
        if certificate:
            scheme = "https"
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            self._server.socket = context.wrap_socket(
                self._server.socket, server_side=True
            )
        self.port = self._server.server_address[1]
        self.origin = f"{scheme}://127.0.0.1:{self.port}"
        self.url = f"{self.origin}/jwks"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self._thread.start()

    def rotate(self, *kids):
        """Publish these keys and no others."""
        self.jwks = [public_jwk("EdDSA", kid, kid) for kid in kids]

    def token(self, kid="first", algorithm="EdDSA", *, header=(), **claims):
        """A good token of Alice's, but for what is named; None leaves it out."""
        head = {"alg": algorithm, "kid": kid} | dict(header)
        body = {
            "sub": "alice",
            "exp": FOR_EVER,
            "iss": self.origin,
            "aud": self.origin,
        }
        key = private_key(algorithm, kid)
        return compact(head, body | claims, signer(algorithm, key))

    def close(self):
        """Stop, and let go of whoever still waits."""
        self.let_go.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128
    issuer: Issuer

    def handle_error(self, request, client_address):
        """A client that hangs up is what these tests are about."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def do_GET(self):
        issuer = self.issuer = self.server.issuer
        self.close_connection = True
        issuer.asked.append((self.path, dict(self.headers)))
        with suppress(OSError):
            issuer.behave(self)

    def send(self, some):
        self.wfile.write(some)
        self.issuer.sent += len(some)

    def log_message(self, *args):
        pass


def answer(status=200, body=b"", **headers):
    """Answers one thing, whatever comes."""

    def behave(handler):
        handler.send_response(status)
        for name, value in headers.items():
            handler.send_header(name, value)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.send(body)

    return behave


def publish(handler):
    """What an issuer is for."""
    answer(body=orjson.dumps({"keys": handler.issuer.jwks}))(handler)


def hang(handler):
    """Says nothing until it is let go."""
    handler.issuer.let_go.wait()
    publish(handler)


def reset(handler):
    """Resets the connection."""
    linger = struct.pack("ii", 1, 0)
    handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    handler.rfile.close()
    handler.wfile.close()
    handler.connection.close()


def drip(beginning):
    """Begins like this, and goes on for ever, a byte at a time."""

    def behave(handler):
        handler.send(beginning)
        while not handler.issuer.let_go.wait(0.05):
            handler.send(b"a")

    return behave


def flood(beginning):
    """The same as fast as it can."""

    def behave(handler):
        handler.send(beginning)
        while not handler.issuer.let_go.is_set():
            handler.send(BLOCK)

    return behave


def redirect(to, *, endless=False):
    """Sends whoever asks for `/jwks` elsewhere, and publishes there."""

    def behave(handler):
        if not handler.path.endswith("/jwks"):
            return publish(handler)
        head = f"HTTP/1.1 302 Found\r\nLocation: {to}\r\n"
        if endless:
            return flood(f"{head}\r\n".encode())(handler)
        return handler.send(f"{head}Content-Length: 0\r\n\r\n".encode())

    return behave


class RawDrip:
    """A server that reads nothing and drips, from the first byte of a connection."""

    def __init__(self, beginning):
        self._beginning = beginning
        self._done = threading.Event()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.host = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self):
        connection, _ = self._listener.accept()
        with connection, suppress(OSError):
            connection.sendall(self._beginning)
            while not self._done.wait(0.05):
                connection.sendall(b"\0")

    def close(self):
        self._done.set()
        self._thread.join()
        self._listener.close()
