"""The JavaScript of README and docs/clients.md, run as it stands for a user."""

import json
import os
import random
import re
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from fractional_indexing import generate_n_keys_between

from tests.client import Client
from tests.e2e import servers
from tests.e2e.person import Person

ROOT = Path(__file__).parents[2]
GUIDE = ROOT / "docs" / "clients.md"
README = ROOT / "README.md"
FUNCTION = re.compile(r"^(?:async )?function\*? (\w+)", re.M)
PATIENCE = 60  # seconds

# What the scripts below stand on: `say` prints a line of JSON, `failure` an error.
TOOLS = """
const say = (it) => console.log(JSON.stringify(it));
const failure = async (action) => {
  try {
    await action();
  } catch (error) {
    return [error instanceof Error, error.status ?? null, error.message];
  }
};
const expired = (send) => send({ Authorization: `Bearer ${process.env.EXPIRED}` });
const lost = async (send) => { await send(); throw new TypeError("fetch failed"); };
const offline = () => { throw new TypeError("fetch failed"); };
const html = () => new Response("<h1>Bad Gateway</h1>", { status: 502 });
const busy = () =>
  Response.json({ error: "Busy." }, { status: 503, headers: { "Retry-After": "1" } });
const tokensAsked = () => sent.filter((each) => each.endsWith("/token")).length;
const titles = async (filters) => {
  const found = [];
  for await (const task of allTasks(filters)) found.push(task.title);
  return found;
};
"""

LISTS = """
for (const [title, tags] of [["a", ["x"]], ["b", ["y"]], ["c", ["z"]]])
  await create({ title, tags });
say(await titles());
say(await titles({ sort: "-title", limit: 2 }));
say(await titles([["tag", "x"], ["tag", "z"], ["sort", "title"], ["limit", 1]]));
"""

DAYS = """
const today = dueToday(new Date(2026, 2, 8, 23, 30));  // New York's clocks move
await create({ title: "last midnight", due_at: new Date(2026, 2, 8).toISOString() });
await create({ title: "evening", due_at: new Date(2026, 2, 8, 23, 59).toISOString() });
await create({ title: "next midnight", due_at: new Date(2026, 2, 9).toISOString() });
await create({ title: "some day" });
say(await titles({ ...today, sort: "due_at" }));
"""

CHANGES = """
const task = await create({ title: "old" });
const renamed = await rename({ ...task, version: task.version + 7 }, "new");
say([renamed.id === task.id, renamed.title, renamed.version > task.version]);
const undo = await remove(renamed);
say(await failure(() => call(`/${task.id}`)));
say((await undo()).title);
await remove(renamed);
say(await failure(undo));
say(await titles());
"""

RETRIES = """
faults.push(lost, busy, html);
const once = await create({ title: "once" }, "a-key");
say(sent.filter((each) => each === "POST /api/tasks").length);
say(await titles());
await remove(once);
const again = await create({ title: "once" }, "a-key");
say([again.id === once.id, typeof again.deleted_at]);
"""

GIVES_UP = """
faults.push(busy, busy, busy, offline);
say(await failure(() => create({ title: "never" })));
faults.push(busy);
say(await failure(() => titles()));
"""

ERRORS = """
const task = await create({ title: "a task" }, "a-key");
const gone = await create({ title: "gone" });
await remove(gone);
say(await failure(() => create({ title: "other" }, "a-key")));
say(await failure(() => create({ title: " " })));
say(await failure(() => rename(task, "")));
say(await failure(() => rename(gone, "back")));
say(await failure(() => remove(gone)));
say(await failure(() => titles({ due_after: "2026-12-01" })));
say(await failure(() => sync(new Map(), "no-token")));
faults.push(html);
say(await failure(() => sync()));
say(sent.filter((each) => each === "POST /api/tasks").length);
"""

PARALLEL = """
await call("");
say(tokensAsked());
faults.push(expired, expired, expired);
const lists = await Promise.all([call(""), call(""), call(""), call("")]);
say(lists.map((list) => list.total));
say([tokensAsked(), sent.filter((each) => each === "GET /api/tasks").length]);
"""

LATE = """
await call("");
let answer;
const late = new Promise((resolve) => (answer = resolve));
faults.push(async (send) => { const it = await expired(send); await late; return it; });
const slow = call("");
faults.push(expired);
await call("");
answer();
say([(await slow).total, tokensAsked()]);
"""

REFUSED = """
faults.push(expired, expired);
say(await failure(() => call("")));
say([tokensAsked(), sent.filter((each) => each === "GET /api/tasks").length]);
"""

SIGNED_OUT = """
await call("");
await authClient.signOut();
discard(token);
say(await failure(() => call("")));
say(await failure(() => create({ title: "nobody's" })));
say(tokensAsked());
"""

SYNC = """
await create({ title: "kept" });
const gone = await create({ title: "gone" });
let { copy, since } = await sync();
say([...copy.values()].map((task) => task.title).sort());
await remove(gone);
await create({ title: "new" });
const seen = since;
({ copy, since } = await sync(copy, since));
say([...copy.values()].map((task) => task.title).sort());
say([seen, since]);
"""

SYNC_OF_TWO_PAGES = """
for (let made = 0; made < 504; made += 8)
  await Promise.all(Array.from({ length: 8 }, () => create({ title: "one of many" })));
say((await sync()).copy.size);
say(sent.filter((each) => each.endsWith("/changes")).length);
"""

SYNC_AFTER_A_PURGE = """
const stale = new Map([["x", { title: "stale" }]]);
const { copy } = await sync(stale, SINCE);
say([...copy.values()].map((task) => task.title).sort());
say(sent.filter((each) => each.endsWith("/changes")).length);
say((await sync(copy, CURRENT)).copy.size);
"""

MOVES = """
for (const title of ["c", "b", "a"]) await create({ title });
const inOrder = async () => (await call("?sort=position")).tasks;
const [a, b, c] = await inOrder();
say((await move([a, b, c], c, 1)).map(({ status }) => status));
say((await inOrder()).map(({ title }) => title));
for (const task of [a, b, c])
  await call(`/${task.id}`, { method: "PATCH", body: '{"position": "a0"}' });
const alike = (await inOrder()).sort(byPosition);
say((await move(alike, alike[2], 1)).length);
const [first, second, third] = await inOrder();
say([first.id, second.id, third.id].map((id) => alike.findIndex((t) => t.id === id)));
say((await move([first, second, third], first, 2)).length);
say((await inOrder()).map(({ id }) => alike.findIndex((task) => task.id === id)));
"""

# The other client is Python, below. It says "done" when it has moved enough.
MANY_MOVES = """
const random = (below) => Math.floor(Math.random() * below);
let { copy, since } = await sync();
const inOrder = () => [...copy.values()].sort((one, other) => byPosition(one, other));
for (let moves = 0; moves < MOVES; moves += 1) {
  if (moves % 4 === 0) ({ copy, since } = await sync(copy, since));
  const list = inOrder();
  await move(list, list[random(list.length)], random(list.length));
}
do {
  ({ copy, since } = await sync(copy, since));
} while (!inOrder().some(({ title }) => title === "done"));
say(inOrder().map(({ id }) => id));
"""

MANY = """
const tasks = [];
for (const title of ["a", "b", "c"]) tasks.push(await create({ title }));
await remove(tasks[1]);
say(await completeAll(tasks));
say(await titles({ status: "completed", sort: "title" }));
"""

OFFLINE = """
const pushes = () => sent.filter((each) => each === "POST /api/tasks/batch").length;
const kept = await create({ title: "kept" });
const gone = await create({ title: "gone" });
const [one, two] = [crypto.randomUUID(), crypto.randomUUID()];
enqueue("create", one, { title: "one" });
enqueue("create", two, { title: "two" });
enqueue("change", one, { title: "uno", tags: ["x"] });
enqueue("change", kept.id, { title: "kept and changed" });
enqueue("change", kept.id, { completed: true });
enqueue("change", gone.id, { title: "not any more" });
enqueue("delete", gone.id);
enqueue("change", gone.id, { title: "too late" });
await push();
say([pushes(), outbox.size]);
say(await titles({ sort: "title" }));
say([await titles({ status: "completed" }), await titles({ tag: "x" })]);
say((await call(`/${one}`)).id === one);
await push();
say(pushes());
"""

PUSHED_AGAIN = """
const id = crypto.randomUUID();
enqueue("create", id, { title: "first" });
faults.push(lost);
say(await failure(push));
enqueue("change", id, { title: "second" });
await push();
say([await titles(), outbox.size]);
const during = (kind, id, fields) =>
  faults.push((send) => { enqueue(kind, id, fields); return send(); });
enqueue("change", id, { title: "third" });
during("change", id, { title: "fourth" });
await push();
say([await titles(), outbox.size]);
const other = crypto.randomUUID();
enqueue("create", other, { title: "other" });
during("change", other, { title: "another" });
await push();
say([await titles({ sort: "title" }), outbox.size]);
const brief = crypto.randomUUID();
enqueue("create", brief, { title: "brief" });
during("delete", brief);
await push();
say([await titles({ sort: "title" }), outbox.size]);
await remove({ id });
enqueue("change", id, { title: "gone elsewhere" });
await Promise.all([push(), push()]);
say([await titles(), outbox.size]);
"""

REFUSED_PUSH = """
enqueue("create", crypto.randomUUID(), { title: "good" });
const bad = crypto.randomUUID();
enqueue("create", bad, { title: " " });
say([await failure(push), outbox.size, await titles()]);
enqueue("change", bad, { title: "better" });
for (let made = 0; made < 100; made += 1)
  enqueue("create", crypto.randomUUID(), { title: "one of many" });
await push();
say([outbox.size, (await call("")).total]);
"""


def javascript(page: Path) -> str:
    """All the JavaScript of a page, in its order."""
    return "\n".join(re.findall(r"^```js\n(.*?)^```$", page.read_text(), re.M | re.S))


def said_by(program: str, environ: dict[str, str]) -> list[Any]:
    """What a program says, line by line, in something like a page."""
    done = subprocess.run(
        ["node", "--import", "./browser.mjs", "--input-type=module", "-"],
        input=program,
        cwd=servers.HERE,
        env=environ,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.fixture(scope="module")
def issuer(node_modules):
    """The Better Auth server at which the page's users sign in."""
    with servers.better_auth() as issuer:
        yield issuer


@pytest.fixture
def person(issuer):
    """The page's user."""
    return Person(issuer)


@pytest.fixture
def run(person, issuer, url, token_of):
    """Runs a page's JavaScript and a script behind it; gives what the script said."""
    environ = os.environ | {
        "SIGNED_IN_AT": issuer.url,
        "COOKIE": f"better-auth.session_token={person.cookie('session_token')}",
        "EXPIRED": token_of(person.id, exp=1),
    }

    def run(script: str, page: Path = GUIDE) -> list[Any]:
        examples = javascript(page)
        for place, real in (
            ("http://127.0.0.1:7860", url),
            ("http://localhost:3000", issuer.url),
        ):
            assert place in examples
            examples = examples.replace(place, real)
        return said_by(f"{examples}\n{TOOLS}\n{script}", environ)

    return run


def test_the_readme_gets_a_token_that_works(run):
    said = run("say([answer.status, (await answer.json()).total]);", README)

    assert said == [[200, 0]]


def test_lists_are_followed_to_their_end(run):
    assert run(LISTS) == [["a", "b", "c"], ["c", "b", "a"], ["a", "c"]]


@pytest.mark.parametrize("zone", ["America/New_York", "Pacific/Kiritimati"])
def test_a_day_is_the_users_day(run, zone):
    script = f"process.env.TZ = {json.dumps(zone)};\n{DAYS}"

    assert run(script) == [["last midnight", "evening"]]


def test_a_change_overwrites_nothing_and_a_deletion_can_be_undone(run):
    no_task = [True, 404, "There is no such task."]
    changed = [True, 412, "The current version is another one: see ETag."]

    assert run(CHANGES) == [[True, "new", True], no_task, "new", changed, []]


def test_a_create_that_is_repeated_creates_one_task(run):
    assert run(RETRIES) == [4, ["once"], [True, "string"]]


def test_what_stays_unavailable_is_an_error_in_the_end(run):
    assert run(GIVES_UP) == [[True, None, "fetch failed"], [True, 503, "Busy."]]


def test_every_function_throws_the_services_errors(run):
    no_task = [True, 404, "There is no such task."]
    *errors, created = run(ERRORS)

    assert errors == [
        [True, 409, "The idempotency key was used for another body."],
        [True, 400, "title: Length must be between 1 and 200."],
        [True, 400, "title: Length must be between 1 and 200."],
        no_task,
        no_task,
        [True, 400, "due_after: Must be a timestamp like 2026-11-20T10:00:00Z."],
        [True, 400, "since: Not one of your tokens."],
        [True, 502, "HTTP 502"],
    ]
    # Only what is temporary is sent again.
    assert created == 4


def test_requests_that_are_refused_together_share_one_new_token(run):
    assert run(PARALLEL) == [1, [0, 0, 0, 0], [2, 8]]


def test_a_late_refusal_does_not_discard_the_new_token(run):
    assert run(LATE) == [[0, 2]]


def test_a_new_token_that_is_refused_is_an_error(run):
    assert run(REFUSED) == [[True, 401, "The token has expired."], [2, 2]]


def test_without_a_session_every_request_is_an_error(run):
    unauthorized = [True, 401, "Unauthorized"]

    assert run(SIGNED_OUT) == [unauthorized, unauthorized, 3]


def test_a_copy_is_kept_in_step_and_begins_anew_after_a_purge(run, make_client):
    first, second, (old, current) = run(SYNC)
    assert (first, second) == (["gone", "kept"], ["kept", "new"])

    purge = make_client(TRASH_DAYS="0").application.test_cli_runner().invoke
    assert purge(args=["purge"]).exit_code == 0
    places = f"const [SINCE, CURRENT] = {json.dumps([old, current])};"

    assert run(places + SYNC_AFTER_A_PURGE) == [["kept", "new"], 2, 2]


def test_a_copy_has_all_pages(run):
    assert run(SYNC_OF_TWO_PAGES) == [504, 2]


def test_a_task_moves_to_its_place_also_between_two_of_one_key(run):
    before, order, among_equals, after_it, alone, again = run(MOVES)

    assert (before, order) == ([200], ["a", "c", "b"])
    # The one below has the key of the one above, so it gets a new key as well.
    assert (among_equals, after_it) == (2, [0, 2, 1])
    assert (alone, again) == (1, [2, 1, 0])


class Mover:
    """A client with a copy, which moves tasks by the keys of the Python library."""

    def __init__(self, client):
        self._client = client
        self._copy: dict[str, dict] = {}
        self._since = ""

    def sync(self):
        """Take in what has changed."""
        page = self._client.get(f"/api/tasks/changes?limit=500{self._since}").json
        self._copy.update({task["id"]: task for task in page["changes"]})
        self._since = f"&since={page['next']}"
        assert not page["more"]

    def order(self):
        """The tasks of the copy, in their order."""
        tasks = self._copy.values()
        return sorted(tasks, key=lambda task: (task["position"], task["id"]))

    def move(self, chance):
        """Any task to any place: as the guide's `move` does."""
        others = self.order()
        moved = [others.pop(chance.randrange(len(others)))]
        place = chance.randrange(len(others) + 1)
        above = others[place - 1]["position"] if place else None
        while place < len(others) and others[place]["position"] == above:
            moved.append(others.pop(place))
        below = others[place]["position"] if place < len(others) else None
        keys = generate_n_keys_between(above, below, len(moved))
        items = [
            {"id": task["id"], "position": key}
            for task, key in zip(moved, keys, strict=True)
        ]
        answer = self._client.post("/api/tasks/batch", json={"change": items})
        assert {each["status"] for each in answer.json["results"]} == {200}


def test_two_clients_that_move_tasks_a_thousand_times_end_with_one_order(
    run, person, app, token_of
):
    client: Any = Client(app, token=token_of(person.id))
    titles = [{"title": f"{n}"} for n in range(12)]
    assert client.post("/api/tasks/batch", json={"create": titles}).status_code == 200
    mover, chance = Mover(client), random.Random(1)

    with ThreadPoolExecutor(1) as pool:
        other = pool.submit(run, f"const MOVES = 500;{MANY_MOVES}")
        for number in range(500):
            if number % 4 == 0:
                mover.sync()
            mover.move(chance)
        client.post("/api/tasks", json={"title": "done"})
        (theirs,) = other.result()
    mover.sync()

    listed = client.get("/api/tasks?sort=position").json["tasks"]
    assert [task["id"] for task in mover.order()] == [task["id"] for task in listed]
    assert theirs == [task["id"] for task in listed]
    assert len(theirs) == 13


def test_many_are_completed_at_once(run):
    assert run(MANY) == [[{"status": 404}], ["a", "c"]]


def test_an_outbox_is_pushed_in_three_calls(run):
    assert run(OFFLINE) == [
        [3, 0],
        ["kept and changed", "two", "uno"],
        [["kept and changed"], ["uno"]],
        True,
        3,
    ]


def test_a_push_loses_and_repeats_nothing_whatever_happens_meanwhile(run):
    assert run(PUSHED_AGAIN) == [
        [True, None, "fetch failed"],
        [["second"], 0],
        [["fourth"], 0],
        [["another", "fourth"], 0],
        [["another", "fourth"], 0],
        [["another"], 0],
    ]


def test_a_push_that_is_refused_keeps_the_outbox(run):
    refused = [True, 400, "create.1.title: Length must be between 1 and 200."]

    assert run(REFUSED_PUSH) == [[refused, 2, []], [0, 102]]


def test_every_function_of_the_guide_is_used_here():
    functions = set(FUNCTION.findall(javascript(GUIDE)))
    here = Path(__file__).read_text()

    # These are called by the others.
    functions -= {"currentToken", "fetchToken", "send", "result"}
    functions -= {"pushAll", "settle"}
    assert {"create", "rename", "remove", "sync", "allTasks", "call"} <= functions
    assert [name for name in functions if f"{name}(" not in here] == []
