"""The JavaScript of docs/accounts.md, run as it stands in something like a page."""

import os
import re
from pathlib import Path

import pytest

from tests.e2e import servers
from tests.e2e.test_examples import FUNCTION, javascript, said_by

PAGE = Path(__file__).parents[2] / "docs" / "accounts.md"
PAGES_ORIGIN = "http://localhost:3000"

# What a page has besides. `asked` counts how often the form was shown.
TOOLS = """
const say = (it) => console.log(JSON.stringify(it));
const failure = (it) => it.then(() => null, (error) => [error.status, error.message]);
const stored = new Map();
globalThis.sessionStorage = {
  getItem: (name) => stored.get(name) ?? null,
  setItem: (name, value) => stored.set(name, value),
  removeItem: (name) => stored.delete(name),
};
let asked = 0;
let typed = ["carol@example.com", "correct horse battery"];
const askForLogin = async () => { asked += 1; await logIn(...typed); };
"""

WHOLE_WAY = """
const user = await register(...typed, "Carol");
say([user.email, user.name]);
await create("Buy milk");
say((await tasks()).total);
say((await me()).id === user.id);
await logOut();
say(kept());
say((await logIn(...typed)).id === user.id);
const device = kept();
await logIn(...typed);
await changePassword(typed[1], "another horse");
say((await tasks()).total);
typed[1] = "another horse";
keep(device);
say([(await tasks()).total, asked]);
await deleteAccount("another horse");
say([kept(), await failure(logIn(...typed))]);
"""

ENDED = """
await register(...typed);
keep("no-token");
const lists = await Promise.all([tasks(), tasks(), tasks()]);
say([lists.map((list) => list.total), asked]);
keep("no-token");
typed = ["carol@example.com", "wrong horse"];
say(await failure(tasks()));
say(kept());
"""

REFUSED = """
await register(...typed);
say(await failure(register(...typed)));
say(await failure(register("carol", "short")));
say(await failure(logIn("carol@example.com", "wrong horse")));
say(await failure(changePassword("wrong horse", "another horse")));
say(await failure(deleteAccount("wrong horse")));
faults.push(() => new Response("<h1>Bad Gateway</h1>", { status: 502 }));
say(await failure(tasks()));
"""


@pytest.fixture(scope="module")
def url(app, environ):
    """A service with accounts."""
    with servers.service(environ, LOCAL_ACCOUNTS="true") as url:
        yield url


@pytest.fixture
def run(node_modules, database, url):
    """Runs the page's JavaScript and a script behind it; gives what the script said."""

    def run(script):
        examples = javascript(PAGE)
        assert "http://127.0.0.1:7860" in examples
        examples = examples.replace("http://127.0.0.1:7860", url)
        environ = os.environ | {"SIGNED_IN_AT": PAGES_ORIGIN, "COOKIE": ""}
        return said_by(f"{TOOLS}\n{examples}\n{script}", environ)

    return run


def test_the_whole_way_of_an_account(run):
    wrong = [401, "The e-mail address or the password is wrong."]

    assert run(WHOLE_WAY) == [
        ["carol@example.com", "Carol"],
        1,
        True,
        None,
        True,
        1,
        [1, 1],
        [None, wrong],
    ]


def test_requests_whose_token_has_ended_share_one_login(run):
    wrong = [401, "The e-mail address or the password is wrong."]

    assert run(ENDED) == [[[0, 0, 0], 1], wrong, None]


def test_every_function_throws_the_services_errors(run):
    assert run(REFUSED) == [
        [409, "This e-mail address has an account already."],
        [
            400,
            "email: Not a valid e-mail address.;"
            " password: Length must be between 8 and 128.",
        ],
        [401, "The e-mail address or the password is wrong."],
        [403, "The password is wrong."],
        [403, "The password is wrong."],
        [502, "HTTP 502"],
    ]


def test_every_function_of_the_page_is_used_here():
    arrows = re.findall(r"^const (\w+) = (?:async )?\(", javascript(PAGE), re.M)
    functions = {*FUNCTION.findall(javascript(PAGE)), *arrows}
    here = Path(__file__).read_text()

    # These are called by the others.
    functions -= {"result", "enter", "call", "logInAgain"}
    assert {"register", "logIn", "logOut", "deleteAccount"} <= functions
    assert [name for name in functions if f"{name}(" not in here] == []
