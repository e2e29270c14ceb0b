"""How many workers and threads serve if no setting says it."""

import os

import pytest

from todo_service.settings import cores, load, processes

pytestmark = pytest.mark.once

MACHINE = (
    len(os.sched_getaffinity(0))
    if hasattr(os, "sched_getaffinity")
    else os.cpu_count() or 1
)

V2 = "0::/todo.slice/todo.service\n"
V1 = "3:cpuset:/\n2:cpu,cpuacct:/docker/1f\n1:name=systemd:/docker/1f\n0::/\n"
V1_FILES = ("cpu.cfs_quota_us", "cpu.cfs_period_us")


def v2(folder: str, text: str) -> dict[str, str]:
    return {f"{folder}/cpu.max": text}


def v1(folder: str, quota: str, period: str) -> dict[str, str]:
    return {f"{folder}/{V1_FILES[0]}": quota, f"{folder}/{V1_FILES[1]}": period}


CGROUPS = {
    "none": ("", {}, MACHINE),
    "v2-unlimited": (V2, v2("todo.slice/todo.service", "max 100000\n"), MACHINE),
    "v2-one": (V2, v2("todo.slice/todo.service", "100000 100000\n"), 1),
    "v2-half": (V2, v2("todo.slice/todo.service", "50000 100000\n"), 1),
    "v2-one-and-a-bit": (
        V2,
        v2("todo.slice/todo.service", "110000 100000\n"),
        min(MACHINE, 2),
    ),
    "v2-more-than-there-are": (V2, v2(".", "99900000 100000\n"), MACHINE),
    "v2-around": (V2, v2("todo.slice", "10000 100000\n"), 1),
    "v2-in-a-container": (V2, v2(".", "10000 100000\n"), 1),
    "v1-unlimited": (V1, v1("cpu", "-1\n", "100000\n"), MACHINE),
    "v1-one": (V1, v1("cpu/docker/1f", "100000\n", "100000\n"), 1),
    "v1-in-a-container": (V1, v1("cpu", "20000\n", "100000\n"), 1),
}


@pytest.mark.parametrize(
    ("membership", "files", "cores_left"), CGROUPS.values(), ids=CGROUPS
)
def test_the_smallest_quota_counts(tmp_path, membership, files, cores_left):
    (tmp_path / "membership").write_text(membership)
    for name, text in files.items():
        path = tmp_path / "cgroup" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    assert cores.available(tmp_path / "membership", tmp_path / "cgroup") == cores_left


def test_without_cgroups_the_machine_counts(tmp_path):
    assert cores.available(tmp_path / "nowhere", tmp_path) == MACHINE


@pytest.mark.parametrize(
    ("there", "pool", "workers"),
    [(1, 5, 2), (2, 5, 2), (4, 5, 4), (64, 5, 8), (64, 20, 2), (64, 100, 2)],
)
def test_workers_follow_the_cores_and_what_postgresql_has_room_for(
    monkeypatch, there, pool, workers
):
    monkeypatch.setattr(cores, "available", lambda: there)

    assert processes.workers(pool) == workers


@pytest.mark.parametrize(
    ("pool", "threads"), [(2, 128), (42, 128), (43, 129), (100, 300)]
)
def test_there_are_more_threads_than_connections(pool, threads):
    assert processes.threads(pool) == threads


def test_a_setting_overrides_what_follows_from_the_machine(environ):
    given = load(environ | {"WEB_CONCURRENCY": "7", "GUNICORN_THREADS": "3"})
    derived = load(environ | {"DB_POOL_SIZE": "20"})

    assert (given.web_concurrency, given.gunicorn_threads) == (7, 3)
    assert derived.web_concurrency == processes.workers(20)
    assert derived.gunicorn_threads == processes.threads(20)
