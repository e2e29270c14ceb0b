"""Probes: whether the process answers, whether it can do its work."""

from todo_service.database import migrations


def test_health_answers_without_a_token(anyone):
    answer = anyone.get("/health")

    assert (answer.status_code, answer.json) == (200, {"status": "ok"})


def test_readiness_names_the_schemas_version(anyone):
    answer = anyone.get("/health/ready")
    newest = migrations.released()[-1].version

    assert answer.status_code == 200
    assert answer.json == {"status": "ok", "database": "ok", "schema": newest}


def test_readiness_is_remembered_so_probes_do_not_add_up(app, anyone):
    probe = app.extensions["database"].probe
    anyone.get("/health/ready")
    before = probe.pool.status()

    assert anyone.get("/health/ready").status_code == 200
    assert probe.pool.status() == before
