"""What the package-lock.json of a folder names: installed there, and run."""

import os
import shutil
import subprocess
from pathlib import Path

from tests.programs import give_up

PATIENCE = 120  # seconds


def install(folder: Path) -> Path:
    """The folder, once its packages are there. In CI a missing Node.js is a failure."""
    missing = [name for name in ("node", "npm") if not shutil.which(name)]
    if missing:
        give_up(f"This test needs Node.js; not on PATH: {', '.join(missing)}.")
    wanted = folder / "package-lock.json"
    installed = folder / "node_modules" / ".package-lock.json"
    if not installed.exists() or installed.stat().st_mtime < wanted.stat().st_mtime:
        subprocess.run(["npm", "ci"], cwd=folder, check=True)
    return folder


def run(*command: str | Path, folder: Path, **settings: str) -> None:
    """Run a command in the folder; if it fails, say what it printed."""
    done = subprocess.run(
        command,
        cwd=folder,
        env=os.environ | settings,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )
    assert done.returncode == 0, done.stdout + done.stderr
