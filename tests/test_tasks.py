"""What users do with their tasks."""


def test_a_new_task_has_what_was_said_and_defaults_for_the_rest(alice):
    created = alice.post("", json={"title": "Buy milk"})

    assert created.status_code == 201
    task = created.json
    assert task == {
        "id": task["id"],
        "user_id": "alice",
        "title": "Buy milk",
        "description": None,
        "completed": False,
        "priority": "medium",
        "due_at": None,
        "tags": [],
        "version": 1,
        "completed_at": None,
        "created_at": task["created_at"],
        "updated_at": task["created_at"],
    }
