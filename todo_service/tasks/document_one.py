"""What the OpenAPI document says of the routes of one task."""

from todo_service.documents.operations import Answer, Body, Operation, ref
from todo_service.tasks.document_examples import COMPLETED, TASK

NO_TASK = "The user has no such task, or it is in the trash."
REFUSALS = {404: NO_TASK, 412: "The task has another version: see `ETag`."}
CHANGE = Body(
    schema=ref("TaskChange"),
    examples={
        "Another title": {"title": "Buy oat milk"},
        "No date": {"due_at": None},
        "Move between two others": {"position": "a0V"},
    },
)


def _changed(when: str, example: dict) -> dict[int, Answer]:
    return {200: Answer(when, ref("Task"), ("ETag",), example)}


ONE: dict[str, Operation] = {
    "read_task": Operation(
        summary="Read a task",
        conditional="the task",
        answers=_changed("The task.", TASK),
        refusals={404: NO_TASK},
    ),
    "put_task": Operation(
        summary="Change a task, or create it under an id of your own",
        description=(
            "Changes the fields that the body has, as `PATCH` does. With"
            " `If-None-Match: *` it creates the task under the id of the path, which is"
            " any UUID: then the body is as for a new task, and a task that has this id"
            " already is a 412. Any other `If-None-Match`, or one beside `If-Match`, is"
            " a 400."
        ),
        headers=("If-Match", "If-None-Match: *"),
        body=CHANGE,
        answers={
            **_changed("The changed task.", TASK),
            201: Answer("The new task.", ref("Task"), ("ETag", "Location"), TASK),
        },
        refusals={
            404: NO_TASK,
            412: "The task has another version, or the id is taken: see `ETag`.",
        },
    ),
    "change_task": Operation(
        summary="Change a task",
        description=(
            "Changes the fields that the body has, and keeps the others. Null clears"
            " `description` and `due_at`, and empties `tags`."
        ),
        headers=("If-Match",),
        body=CHANGE,
        answers=_changed("The changed task.", TASK),
        refusals=REFUSALS,
    ),
    "delete_task": Operation(
        summary="Delete a task",
        description="Moves the task to the trash. `restore` takes it back.",
        headers=("If-Match",),
        answers={
            200: Answer(
                "The task is in the trash. `ETag` is the version that it has there.",
                ref("Message"),
                ("ETag",),
                {"message": "Task deleted"},
            )
        },
        refusals=REFUSALS,
    ),
    "complete_task": Operation(
        summary="Complete a task, or take that back",
        description=(
            "Without a body, or with `{}`, toggles `completed`. With a body sets it:"
            " that may be sent again. `/toggle-status` and `/complete` are the same."
        ),
        headers=("If-Match",),
        body=Body(
            schema=ref("Completion"),
            examples={"Set": {"completed": True}, "Toggle": {}},
            required=False,
        ),
        answers=_changed("The changed task.", COMPLETED),
        refusals=REFUSALS,
    ),
    "restore_task": Operation(
        summary="Take a task back from the trash",
        description="A task that is not deleted stays as it is.",
        headers=("If-Match",),
        answers=_changed("The task.", TASK),
        refusals=REFUSALS | {404: "The user has no such task, or it is purged."},
    ),
}
