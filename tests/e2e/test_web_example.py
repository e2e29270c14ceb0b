"""examples/web in a real browser: a page, Better Auth and the API on three origins."""

import json
import os
import re
import select
import shutil
from contextlib import ExitStack
from pathlib import Path
from subprocess import PIPE

import pytest

from tests.conftest import SECRET
from tests.e2e import packages, servers
from tests.ports import free_port

SCRIPT = servers.HERE / "web_example.mjs"
# In the README: a file's name, then its text.
FILE = re.compile(r"^`(\S+)`\n\n```tsx?\n(.*?)^```$", re.M | re.S)
SCENARIOS = re.findall(r"^scenarios\.(\w+) = ", SCRIPT.read_text(), re.M)
PATIENCE = 120  # seconds


@pytest.fixture(scope="module")
def example(typescript_client) -> Path:
    """The folder of the example, with what it needs."""
    return packages.install(typescript_client.parents[1] / "examples" / "web")


@pytest.fixture(scope="module")
def origins(example, app, environ):
    """The page, built for the two servers that run beside it: three origins."""
    page, auth = (f"http://localhost:{free_port()}" for _ in range(2))
    vite = ["node", "node_modules/vite/bin/vite.js", "preview", "--strictPort"]
    commands = {
        auth: ["node", "auth.mjs"],
        page: [*vite, "--port", page.rpartition(":")[2]],
    }
    with ExitStack() as stack:
        api = stack.enter_context(
            servers.service(environ, BETTER_AUTH_URL=auth, CORS_ORIGINS=page)
        )
        settings = {"PAGE_URL": page, "VITE_AUTH_URL": auth, "VITE_API_URL": api}
        packages.run("npm", "run", "build", folder=example, **settings)
        place = {"cwd": example, "env": os.environ | settings}
        for url, command in commands.items():
            stack.enter_context(servers.listening(command, url, **place))
        yield {"PAGE": page, "AUTH": auth, "API": api}


@pytest.fixture(scope="module")
def browser(origins, node_modules, chromium):
    """A process that plays scenarios in Chromium."""
    settings = origins | {"CHROMIUM": chromium, "SECRET": SECRET}
    with servers.running(
        ["node", SCRIPT.name],
        cwd=servers.HERE,
        env=os.environ | settings,
        stdin=PIPE,
        stdout=PIPE,
    ) as process:
        yield process
        assert process.stdin
        process.stdin.close()  # it ends with its input


@pytest.mark.parametrize("scenario", SCENARIOS)
def test_in_the_browser(scenario, browser):
    print(scenario, file=browser.stdin, flush=True)

    assert select.select([browser.stdout], [], [], PATIENCE)[0], "no answer came"
    failure = json.loads(browser.stdout.readline())
    assert failure is None, failure


def test_the_same_in_nextjs_compiles(example, typescript_client, tmp_path):
    """Its types do: Next.js itself is not installed."""
    components = tmp_path / "components"
    shutil.copytree(example / "src", components)
    (components / "main.tsx").unlink()
    files = dict(FILE.findall((example / "README.md").read_text()))
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    (tmp_path / "node_modules").symlink_to(example / "node_modules")
    options = {
        "types": ["node"],
        "typeRoots": [str(typescript_client / "node_modules" / "@types")],
        "paths": {"@/*": ["./*"]},
    }
    project = {
        "extends": str(example / "tsconfig.json"),
        "compilerOptions": options,
        "include": list(files),
    }
    (tmp_path / "tsconfig.json").write_text(json.dumps(project))

    assert len(files) == 4
    assert sum(text.count("\n") for text in files.values()) <= 30
    packages.run(example / "node_modules/.bin/tsc", folder=tmp_path)
