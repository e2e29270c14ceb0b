"""PostgreSQL as hosting providers offer it: TLS, passwords by SCRAM, poolers."""

import datetime
import ipaddress
import os
import shutil
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import URL

from tests.client import Client
from tests.conftest import SECRET
from tests.faults.conftest import settings_for
from tests.faults.postgres import Postgres
from tests.pooler import pooler
from tests.programs import give_up
from tests.proxy import CountingProxy
from todo_service import create_app
from todo_service.database import migrations

PASSWORD = "pass-word"
# Whoever comes over TLS has to know the password; only the test itself comes without.
HBA = """
hostssl all neon all scram-sha-256
hostnossl all postgres 127.0.0.1/32 trust
"""
# The embedded PostgreSQL has no TLS; Debian's has.
INSTALLED = sorted(Path("/usr/lib/postgresql").glob("*/bin"))


@pytest.fixture(scope="module")
def certificate(folder) -> Path:
    """A self-signed certificate for this machine, with its key beside it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    now = datetime.datetime.now(datetime.UTC)
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("::1"))]
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    file = folder / "server.crt"
    file.write_bytes(made.public_bytes(pem))
    private = file.with_suffix(".key")
    private.touch(0o600)
    private.write_bytes(
        key.private_bytes(
            pem,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    if os.geteuid() == 0:
        shutil.chown(private, "nobody")
    return file


@pytest.fixture(scope="module")
def postgres(folder, certificate):
    """A server that speaks TLS, with the service's schema and the user `neon`."""
    if not INSTALLED:
        give_up("no PostgreSQL with TLS is installed")
    tls = {
        "ssl": "on",
        "ssl_cert_file": str(certificate),
        "ssl_key_file": str(certificate.with_suffix(".key")),
    }
    postgres = Postgres(INSTALLED[-1], folder, user="nobody", **tls)
    (postgres.data / "pg_hba.conf").write_text(HBA)
    postgres.start()
    try:
        postgres.wait()
        with postgres.connect() as connection:
            connection.exec_driver_sql(
                f"CREATE USER neon SUPERUSER PASSWORD '{PASSWORD}'"
            )
        app = create_app(settings_for(postgres.url))
        migrations.upgrade(app.extensions["database"])
        yield postgres
    finally:
        postgres.end()


@pytest.fixture
def open_client(token_of):
    """Makes clients of Alice's at an application with this DATABASE_URL."""
    made = []

    def make(url: str) -> Client:
        app = create_app({"DATABASE_URL": url, "BETTER_AUTH_SECRET": SECRET})
        made.append(app)
        return Client(app, user_id="alice", token=token_of("alice"))

    yield make
    for app in made:
        app.extensions["database"].engine.dispose()


SPELLINGS = [
    "postgresql://{at}?sslmode=require&channel_binding=require",
    "postgres://{at}?sslmode=require",
    "postgresql+psycopg://{at}?sslmode=require&channel_binding=require",
    "postgresql+psycopg2://{at}?sslmode=verify-full&sslrootcert={certificate}",
    "postgresql://{at}?sslmode=require&pgbouncer=true&connect_timeout=15"
    "&pool_timeout=15&connection_limit=1",
]


@pytest.fixture
def line(postgres):
    """The line to the server, which counts round trips."""
    proxy = CountingProxy(postgres.url)
    yield proxy
    proxy.close()


def location(url: URL) -> str:
    """Where the user `neon` finds a database, as it stands in a URL."""
    return f"neon:{PASSWORD}@localhost:{url.port}/postgres"


@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_request_over_tls_is_one_round_trip_however_the_url_is_spelt(
    postgres, line, open_client, certificate, spelling
):
    at = location(line.url(postgres.url))
    alice = open_client(spelling.format(at=at, certificate=certificate))
    tea = alice.post("", json={"title": "Tea"})
    assert alice.get(tea.location).json == tea.json  # prepared by now

    before = line.trips
    assert alice.get(tea.location).json == tea.json

    assert line.trips - before == 1


@pytest.mark.parametrize(
    "url",
    [
        pytest.param(
            f"neon:wrong-{PASSWORD}@localhost:{{port}}/postgres?sslmode=require",
            id="password",
        ),
        pytest.param(
            f"neon:{PASSWORD}@localhost:{{port}}/postgres?sslmode=disable",
            id="no-tls",
        ),
        pytest.param(
            f"neon:{PASSWORD}@127.0.0.1:{{port}}/postgres"
            "?sslmode=verify-full&sslrootcert={certificate}",
            id="name-that-the-certificate-lacks",
        ),
    ],
)
def test_a_server_that_refuses_or_is_another_one_is_a_503(
    postgres, open_client, certificate, caplog, url
):
    where = url.format(port=postgres.port, certificate=certificate)
    answer = open_client(f"postgresql://{where}").get("")

    assert (answer.status_code, "Retry-After" in answer.headers) == (503, True)
    assert PASSWORD not in caplog.text


@pytest.fixture
def bouncer(postgres, folder, certificate):
    """PgBouncer with TLS and SCRAM on both sides."""
    known = folder / "users"
    known.write_text(f'"neon" "{PASSWORD}"\n')
    with pooler(
        postgres.url.set(username="neon"),
        auth_type="scram-sha-256",
        auth_file=str(known),
        client_tls_sslmode="require",
        client_tls_cert_file=str(certificate),
        client_tls_key_file=str(certificate.with_suffix(".key")),
        server_tls_sslmode="require",
    ) as bouncer:
        yield bouncer


def test_all_works_through_a_pooler_with_tls_and_scram(bouncer, open_client):
    alice = open_client(
        f"postgresql://{location(bouncer.url)}?sslmode=require&pgbouncer=true"
    )
    tea = alice.post("", json={"title": "Tea"})

    changed = alice.patch(f"{tea.location}/complete")

    assert (tea.status_code, changed.status_code) == (201, 200)
    assert alice.get(tea.location).json == changed.json
