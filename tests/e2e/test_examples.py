"""The JavaScript of README and docs/clients.md, run as it stands for a user."""

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

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


def javascript(page: Path) -> str:
    """All the JavaScript of a page, in its order."""
    return "\n".join(re.findall(r"^```js\n(.*?)^```$", page.read_text(), re.M | re.S))


@pytest.fixture(scope="module")
def issuer(node_modules):
    """The Better Auth server at which the page's users sign in."""
    with servers.better_auth() as issuer:
        yield issuer


@pytest.fixture(scope="module")
def url(app, environ, issuer):
    """A service that trusts it."""
    with servers.service(environ, BETTER_AUTH_URL=issuer.url) as url:
        yield url


@pytest.fixture
def run(issuer, url, token_of):
    """Runs a page's JavaScript and a script behind it; gives what the script said."""
    person = Person(issuer)
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
        done = subprocess.run(
            ["node", "--import", "./browser.mjs", "--input-type=module", "-"],
            input=f"{examples}\n{TOOLS}\n{script}",
            cwd=servers.HERE,
            env=environ,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )
        assert done.returncode == 0, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines()]

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


def test_every_function_of_the_guide_is_used_here():
    functions = set(FUNCTION.findall(javascript(GUIDE)))
    here = Path(__file__).read_text()

    # These are called by the others.
    functions -= {"currentToken", "fetchToken", "send", "result"}
    assert {"create", "rename", "remove", "sync", "allTasks", "call"} <= functions
    assert [name for name in functions if f"{name}(" not in here] == []
