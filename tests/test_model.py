"""Random sequences of everything, compared with a plain Python model."""

from itertools import count
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)

from tests.client import Client
from tests.task_defaults import DEFAULTS

USERS = count()
RANKS = ["low", "medium", "high"]
TITLES = st.sampled_from(["a", "B", "b", "ä", "😀", "100%", "_"])
FIELDS = st.fixed_dictionaries(
    {},
    optional={
        "title": TITLES,
        "description": st.sampled_from([None, "", "B"]),
        "completed": st.booleans(),
        "priority": st.sampled_from(RANKS),
        "due_at": st.sampled_from(
            [None, "2026-01-01T00:00:00.000000Z", "2026-01-02T00:00:00.000000Z"]
        ),
        "position": st.sampled_from(["Z0V", "a0", "a0V", "b00"]),
        "tags": st.lists(st.sampled_from(["x", "y"]), unique=True),
    },
)
SORTS = {
    "created_at": lambda task: task["created_at"],
    "updated_at": lambda task: task["updated_at"],
    "position": lambda task: task["position"],
    "priority": lambda task: RANKS.index(task["priority"]),
    "title": lambda task: "".join(
        c.lower() if c.isascii() else c for c in task["title"]
    ),
}
FILTERS = {
    "status=pending": lambda task: not task["completed"],
    "status=completed": lambda task: task["completed"],
    "priority=low&priority=high": lambda task: task["priority"] != "medium",
    "tag=x": lambda task: "x" in task["tags"],
    "q=b": lambda task: "b" in (task["title"] + (task["description"] or "")).lower(),
    "due_before=2026-01-02T00:00:00Z": lambda task: "2026-01-01" in str(task["due_at"]),
    "due_after=2026-01-02T00:00:00Z": lambda task: "2026-01-02" in str(task["due_at"]),
    "": lambda task: True,
}
MATCH = st.sampled_from(["none", "any", "present", "other"])


def distinct(items):
    """The items without those that repeat an id."""
    kept: dict[object, dict] = {}
    for item in items:
        kept.setdefault(item.get("id", object()), item)
    return list(kept.values())


class Model(RuleBasedStateMachine):
    """One user's tasks as dictionaries, beside the service's."""

    app: Any
    token_of: Any
    ids = Bundle("ids")
    tags = Bundle("tags")

    @initialize()
    def sign_in(self):
        user = f"user {next(USERS)}"
        self.client: Any = Client(self.app, token=type(self).token_of(user))
        self.client.tasks = "/api/tasks"
        self.counter, self.tasks, self.keys = 0, {}, {}
        self.copy, self.sync = {}, ""

    def live(self):
        return [t for t in self.tasks.values() if "deleted_at" not in t]

    def settled(self, answer, expected):
        """Take what only the service can know, and compare the rest."""
        self.noted(answer.json, expected)
        assert answer.headers["ETag"] == f'"{self.counter}"'

    def noted(self, told, expected):
        """The same for a task that has changed, alone or in a batch."""
        self.counter += 1
        moments = {n: told[n] for n in ("created_at", "updated_at", "completed_at")}
        assert told == expected | moments | {"version": self.counter}
        assert (told["completed_at"] is not None) == told["completed"]
        self.tasks[told["id"]] = told

    @rule(target=ids, fields=FIELDS, title=TITLES, key=st.sampled_from(["", "k", "l"]))
    def create(self, fields, title, key):
        said = {"title": title} | fields
        headers = {"Idempotency-Key": key} if key else {}
        answer = self.client.post("", json=said, headers=headers)
        if key not in self.keys:
            assert answer.status_code == 201
            told = answer.json
            new = {"id": told["id"], "user_id": told["user_id"]}
            self.settled(answer, DEFAULTS | said | new)
            if key:
                self.keys[key] = (DEFAULTS | said, told["id"])
            return told["id"]
        first, task_id = self.keys[key]
        if first != DEFAULTS | said:
            assert answer.status_code == 409
        else:
            assert (answer.status_code, answer.json) == (201, self.tasks[task_id])
        return task_id

    def headers(self, task, match):
        """An If-Match header, and whether it lets a change through."""
        tag = {"any": "*", "present": f'"{task["version"]}"', "other": '"0"'}
        return {"If-Match": tag[match]} if match != "none" else {}

    def attempt(self, task_id, match, send, expect_live=True):
        """Send a change; its answer if it has to be made, None if refused rightly."""
        task = self.tasks[task_id]
        answer = send(self.headers(task, match))
        if expect_live and "deleted_at" in task:
            assert answer.status_code == 404
        elif match == "other":
            assert answer.status_code == 412
            assert answer.headers["ETag"] == f'"{task["version"]}"'
        else:
            assert answer.status_code == 200
            return answer
        return None

    @rule(task=ids, fields=FIELDS.filter(bool), match=MATCH, put=st.booleans())
    def change(self, task, fields, match, put):
        method = self.client.put if put else self.client.patch
        answer = self.attempt(
            task, match, lambda headers: method(task, json=fields, headers=headers)
        )
        if answer:
            self.settled(answer, self.tasks[task] | fields)

    @rule(task=ids, match=MATCH, wanted=st.sampled_from([None, True, False]))
    def complete(self, task, match, wanted):
        body = {} if wanted is None else {"json": {"completed": wanted}}
        answer = self.attempt(
            task,
            match,
            lambda h: self.client.patch(f"{task}/complete", headers=h, **body),
        )
        if answer:
            before = self.tasks[task]["completed"]
            completed = not before if wanted is None else wanted
            self.settled(answer, self.tasks[task] | {"completed": completed})

    @rule(task=ids, match=MATCH)
    def delete(self, task, match):
        answer = self.attempt(
            task, match, lambda headers: self.client.delete(task, headers=headers)
        )
        if answer:
            self.lose(task)

    def lose(self, task):
        """Find a task in the trash, changed in nothing else."""
        self.counter += 1
        trash = self.client.get("?deleted=true&limit=100").json["tasks"]
        (gone,) = (each for each in trash if each["id"] == task)
        moved = {"version": self.counter, "updated_at": gone["deleted_at"]}
        assert gone == self.tasks[task] | moved | {"deleted_at": gone["deleted_at"]}
        self.tasks[task] = gone

    def restored(self, task):
        """A task as it was before it was deleted."""
        return {n: v for n, v in self.tasks[task].items() if n != "deleted_at"}

    @rule(task=ids, match=MATCH)
    def restore(self, task, match):
        answer = self.attempt(
            task,
            match,
            lambda h: self.client.post(f"{task}/restore", headers=h),
            expect_live=False,
        )
        if answer and "deleted_at" in self.tasks[task]:
            self.settled(answer, self.restored(task))
        elif answer:
            assert answer.json == self.tasks[task]

    @rule(target=ids, fields=FIELDS, title=TITLES, task=st.uuids())
    def put(self, fields, title, task):
        said = {"title": title} | fields
        answer = self.client.put(str(task), json=said, headers={"If-None-Match": "*"})
        assert answer.status_code == 201
        new = {"id": str(task), "user_id": answer.json["user_id"]}
        self.settled(answer, DEFAULTS | said | new)
        return str(task)

    @rule(task=ids, title=TITLES)
    def put_again(self, task, title):
        new = {"If-None-Match": "*"}
        answer = self.client.put(task, json={"title": title}, headers=new)
        tag = f'"{self.tasks[task]["version"]}"'
        assert (answer.status_code, answer.headers["ETag"]) == (412, tag)

    def batch(self, kind, items):
        """The results of a batch, each with its item."""
        answer = self.client.post("batch", json={kind: items})
        assert answer.status_code == 200, answer.text
        return zip(items, answer.json["results"], strict=True)

    @rule(
        target=ids,
        items=st.lists(
            st.tuples(TITLES, FIELDS, st.none() | ids), min_size=1, max_size=2
        ),
    )
    def create_many(self, items):
        made = []
        sent = [
            {"title": title} | fields | ({"id": own} if own else {})
            for title, fields, own in items
        ]
        for item, result in self.batch("create", distinct(sent)):
            if "id" in item:
                version = self.tasks[item["id"]]["version"]
                assert result == {"status": 412, "version": version}
                continue
            assert result["status"] == 201
            told = result["task"]
            new = {"id": told["id"], "user_id": told["user_id"]}
            self.noted(told, DEFAULTS | item | new)
            made.append(told["id"])
        return multiple(*made)

    @rule(
        kind=st.sampled_from(["change", "delete", "restore"]),
        chosen=st.lists(
            st.tuples(ids, st.sampled_from([-1, 0, None])), min_size=1, max_size=4
        ),
        fields=FIELDS.filter(bool),
    )
    def write_many(self, kind, chosen, fields):
        """Each in any version, in the present one, or in another one."""
        sent = distinct(
            {"id": task}
            | (fields if kind == "change" else {})
            | ({} if move is None else {"version": self.tasks[task]["version"] + move})
            for task, move in chosen
        )
        for item, result in self.batch(kind, sent):
            self.met(kind, item, result, fields)

    def met(self, kind, item, result, fields):
        """Compare what an item of a batch met."""
        task = item["id"]
        was = self.tasks[task]
        if kind != "restore" and "deleted_at" in was:
            assert result == {"status": 404}
        elif item.get("version", was["version"]) != was["version"]:
            assert result == {"status": 412, "version": was["version"]}
        elif kind == "delete":
            self.lose(task)
            assert result == {"status": 200, "version": self.counter}
        elif kind == "change":
            self.noted(result["task"], was | fields)
        elif "deleted_at" in was:
            self.noted(result["task"], self.restored(task))
        else:
            assert result == {"status": 200, "task": was}

    @rule(
        query=st.sampled_from(sorted(FILTERS)),
        sort=st.sampled_from(sorted(SORTS)),
        backwards=st.booleans(),
        limit=st.integers(1, 4),
    )
    def page_through(self, query, sort, backwards, limit):
        wanted = sorted(
            filter(FILTERS[query], self.live()),
            key=lambda task: (SORTS[sort](task), task["id"]),
            reverse=backwards,
        )
        whole = f"?{query}&sort={'-' if backwards else ''}{sort}&limit={limit}"
        page = self.client.get(whole).json
        found = page["tasks"]
        assert page["total"] == len(wanted)
        while page["next_cursor"]:
            page = self.client.get(f"{whole}&cursor={page['next_cursor']}").json
            found += page["tasks"]
        assert found == wanted

    @rule(target=tags)
    def remember(self):
        return self.client.get("").headers["ETag"], self.counter

    @rule(seen=consumes(tags))
    def poll(self, seen):
        tag, counter = seen
        answer = self.client.get("", headers={"If-None-Match": tag})
        assert answer.status_code == (304 if counter == self.counter else 200)

    @rule(limit=st.integers(1, 3))
    def follow(self, limit):
        page = self.client.get(f"changes?limit={limit}{self.sync}").json
        versions = [task["version"] for task in page["changes"]]
        assert versions == sorted(versions)
        self.copy.update({task["id"]: task for task in page["changes"]})
        self.sync = f"&since={page['next']}"
        if not page["more"]:
            assert {i: t for i, t in self.copy.items() if "deleted_at" not in t} == {
                task["id"]: task for task in self.live()
            }

    @rule()
    def count(self):
        gone = [t for t in self.tasks.values() if "deleted_at" in t]
        expected = {
            "": self.live(),
            "status=pending": [t for t in self.live() if not t["completed"]],
            "status=completed": [t for t in self.live() if t["completed"]],
            "deleted=true": gone,
            "deleted=true&status=pending": [t for t in gone if not t["completed"]],
        }
        for query, tasks in expected.items():
            page = self.client.get(f"?limit=1&{query}").json
            assert page["total"] == len(tasks), query
        assert self.client.get("summary").json == {
            "pending": len(expected["status=pending"]),
            "completed": len(expected["status=completed"]),
            "deleted": len(gone),
        }

    @invariant()
    def the_list_is_the_models(self):
        if hasattr(self, "tasks"):
            listed = self.client.get("?limit=100&sort=created_at").json["tasks"]
            by_id = {task["id"]: task for task in listed}
            assert by_id == {task["id"]: task for task in self.live()}


def test_the_service_behaves_like_a_plain_model(app, token_of):
    parts = {"app": app, "token_of": staticmethod(token_of)}
    machine = type("Machine", (Model,), parts)
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=60,
            stateful_step_count=40,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
