"""The JavaScript of docs/clients.md, run as it stands against the service."""

import json
import re
import subprocess
from pathlib import Path

import pytest

GUIDE = Path(__file__).parents[2] / "docs" / "clients.md"
EXAMPLES = "\n".join(re.findall(r"^```js\n(.*?)^```$", GUIDE.read_text(), re.M | re.S))

# A front end's session: each line's result is printed as a line of JSON.
SESSION = """
const say = (it) => console.log(JSON.stringify(it));
const first = await create({ title: "first" }, "a-key");
say((await create({ title: "first" }, "a-key")).id === first.id);
for (const title of ["a", "b", "c"]) await create({ title });
say((await rename({ ...first, version: first.version + 7 }, "renamed")).title);
const all = [];
for await (const task of allTasks("sort=title&limit=2")) all.push(task.title);
say(all);
let { copy, token: place } = await sync(new Map());
await call(`/${first.id}`, { method: "DELETE" });
await create({ title: "d" });
({ copy } = await sync(copy, place));
say([...copy.values()].map((task) => task.title).sort());
"""


@pytest.fixture
def run(node_modules, service, token_of, database):
    """Runs a script behind the examples, as Alice; gives what it said."""

    def run(script):
        here = EXAMPLES.replace("http://127.0.0.1:7860", service())
        lines = [f'const token = "{token_of("alice")}";', here, script]
        said = subprocess.run(
            ["node", "--input-type=module", "-e", "\n".join(lines)],
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert said.returncode == 0, said.stderr
        return [json.loads(line) for line in said.stdout.splitlines()]

    return run


def test_the_examples_do_what_the_guide_says(run):
    assert run(SESSION) == [
        True,
        "renamed",
        ["a", "b", "c", "renamed"],
        ["a", "b", "c", "d"],
    ]
