"""nginx with the files of `deploy/nginx`, as a process that ends with its block."""

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.ports import free_port, is_open
from tests.programs import program
from tests.running import ROOT, Service
from tests.waiting import until

FILES = ROOT / "deploy" / "nginx"
PATIENCE = 15  # seconds
# What stands around the files on a server; the folders must be writable for a test.
MAIN = """
daemon off;
pid {folder}/pid;
error_log stderr error;
worker_processes 2;
events {{ worker_connections 768; }}
http {{
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    scgi_temp_path {folder}/scgi;
    uwsgi_temp_path {folder}/uwsgi;
    gzip on;  # as Debian has it: the files must switch it off
    include {folder}/conf.d/*.conf;
}}
"""
SERVER = re.compile(r"^ *server 127\.0\.0\.1:7860(.*);$", re.M)


@contextmanager
def nginx(ports: list[int], folder: Path) -> Iterator[Service]:
    """nginx in front of the replicas of the service that listen on these ports."""
    port = free_port()
    command = [program("nginx"), "-c", str(_configured(ports, port, folder))]
    with (folder / "log").open("wb") as log:
        subprocess.run([*command, "-t"], check=True, stderr=log)
        process = subprocess.Popen(command, stderr=log)
    try:
        until(lambda: is_open(port) or process.poll() is not None)
        yield Service(process, port, folder / "log")
    finally:
        process.terminate()
        process.wait(PATIENCE)


def _configured(ports: list[int], port: int, folder: Path) -> Path:
    """The files as they are shipped, with the ports of a test."""
    conf_d = folder / "conf.d"
    conf_d.mkdir()
    upstream, found = SERVER.subn(
        lambda line: "\n".join(f"server 127.0.0.1:{p}{line[1]};" for p in ports),
        (FILES / "upstream.conf").read_text(),
    )
    server = (FILES / "todo.conf").read_text()
    assert (found, server.count("listen 80 ")) == (1, 1)
    (conf_d / "upstream.conf").write_text(upstream)
    (conf_d / "todo.conf").write_text(
        server.replace("listen 80 ", f"listen 127.0.0.1:{port} ")
    )
    main = folder / "nginx.conf"
    main.write_text(MAIN.format(folder=folder))
    return main
