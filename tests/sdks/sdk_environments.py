"""Environments of their own for Sinch's SDKs: made once, kept under the checksum of what they hold."""

import fcntl
import hashlib
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from support.npm import install_packages

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
CACHE = ROOT / ".sdks"
UV = ROOT / ".tools" / "bin" / "uv"  # ./dev fetches it
INSTALL_TIMEOUT = 120.0  # seconds


def python_environment() -> Path:
    """Return the folder of a virtual environment with the Python SDK."""
    return _made("python", ["requirements.lock"], _install_python)


def node_environment() -> Path:
    """Return a folder whose node_modules hold the Node SDK."""
    return _made("node", ["package.json", "package-lock.json"], install_packages)


def _made(name: str, pins: list[str], install: Callable[[Path, Path], None]) -> Path:
    """Return the environment of these pins; of several test processes one makes it, the others wait."""
    checksum = hashlib.sha256(b"\0".join((HERE / name / pin).read_bytes() for pin in pins)).hexdigest()
    folder = CACHE / f"{name}-{sys.version_info.major}.{sys.version_info.minor}-{checksum[:16]}"
    CACHE.mkdir(exist_ok=True)
    with (CACHE / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "complete").exists():
            shutil.rmtree(folder, ignore_errors=True)
            folder.mkdir()
            install(HERE / name, folder)
            (folder / "complete").touch()
    return folder


def _install_python(pins: Path, folder: Path) -> None:
    assert UV.exists(), "uv is missing: ./dev test fetches it"
    python = folder / "bin" / "python"
    _run(str(UV), "venv", "--quiet", "--allow-existing", "--python", sys.executable, str(folder))
    _run(
        *(str(UV), "pip", "sync", "--quiet", "--native-tls", "--python", str(python)),
        *("--require-hashes", str(pins / "requirements.lock")),
    )


def _run(*command: str) -> None:
    done = subprocess.run(  # noqa: S603 - our own command
        command, capture_output=True, text=True, timeout=INSTALL_TIMEOUT, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
