"""The steps of the `Dockerfile`, done without Docker.

The folders of the image are folders of the test. What needs a fresh Debian is left out:
the base image itself, and `useradd`.
"""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

from tests.running import ROOT, only_ours

INSTRUCTION = re.compile(r"^([A-Z]+) (.+)$", re.M)
BASES = re.compile(r"^FROM ", re.M)


class Image:
    """The image under a folder: `RUN` and `COPY` have been done, `CMD` can be run."""

    def __init__(self, folder: Path, dockerfile: str):
        self._folder = folder
        self._python = folder / "python"
        _, build, image = BASES.split(dockerfile)
        self.steps = INSTRUCTION.findall(image)
        self.workdir = self._place(self.last("WORKDIR"))
        (folder / "opt").mkdir()
        subprocess.run([sys.executable, "-m", "venv", self._python], check=True)
        self._do(build)
        self._do(image)

    def last(self, name: str) -> str:
        """The last instruction of this name in the image's own stage."""
        return [rest for each, rest in self.steps if each == name][-1]

    def command(self, instruction: str) -> list[str]:
        """The command of a `CMD` or `HEALTHCHECK`, with the image's programs."""
        program, *rest = json.loads(instruction[instruction.index("[") :])
        return [str(self._folder / "opt/todo/bin" / program), *rest]

    def environ(self, **settings: str) -> dict[str, str]:
        """What `ENV` says, and settings."""
        said = dict(pair.split("=", 1) for pair in self.last("ENV").split())
        return only_ours(said | {"PATH": self._path()} | settings)

    def files(self) -> list[str]:
        """Every file of `/opt/todo`, in which the working folder lies."""
        files = (self._folder / "opt/todo").rglob("*")
        return [str(path.relative_to(self._folder)) for path in files]

    def _do(self, stage: str) -> None:
        workdir = self._folder
        for name, rest in INSTRUCTION.findall(stage):
            if name == "WORKDIR":
                workdir = self._place(rest)
                workdir.mkdir(exist_ok=True)
            elif name == "COPY" and not rest.startswith("--from"):
                _copy(rest.split(), workdir)
            elif name == "RUN" and "useradd" not in rest:
                self._run(rest.replace("/opt", f"{self._folder}/opt"), workdir)

    def _run(self, command: str, workdir: Path) -> None:
        path = f"{self._python}/bin:{self._path()}"
        done = subprocess.run(
            ["sh", "-c", command],
            cwd=workdir,
            env=only_ours({}) | {"PATH": path},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert done.returncode == 0, done.stdout

    def _place(self, path: str) -> Path:
        return self._folder / path.lstrip("/")

    def _path(self) -> str:
        return f"{self._folder}/opt/todo/bin:/usr/bin:/bin"


def _copy(words: list[str], workdir: Path) -> None:
    """`COPY`: files into a folder, or a folder's contents as a folder."""
    *sources, target = words
    for source in sources:
        if (ROOT / source).is_dir():
            ignored = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / source, workdir / target, ignore=ignored)
        else:
            shutil.copy(ROOT / source, workdir / target)
