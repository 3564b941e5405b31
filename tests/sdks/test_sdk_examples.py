"""The examples of docs/simulator.md point both SDKs at a simulator, as they stand there."""

import asyncio
import os
from asyncio.subprocess import PIPE, STDOUT
from pathlib import Path

from sdk_driver import simulator
from sdk_environments import node_environment, python_environment

from support.documents import block
from support.npm import NODE

ADDRESS = "127.0.0.1:9100"


def _write_example(language: str, script: Path, base_url: str) -> str:
    """Write it to a file; return the file's name."""
    code = block("docs/simulator.md", language)
    assert ADDRESS in code
    script.write_text(code.replace(ADDRESS, base_url.removeprefix("http://")), encoding="utf-8")
    return str(script)


async def _run(*command: str) -> str:
    process = await asyncio.create_subprocess_exec(
        *command, stdout=PIPE, stderr=STDOUT, env={"PATH": os.environ["PATH"]}
    )
    async with asyncio.timeout(30):
        output, _ = await process.communicate()
    return output.decode()


async def test_the_python_example(tmp_path: Path) -> None:
    python = str(python_environment() / "bin" / "python")
    async with simulator() as running:
        script = _write_example("python", tmp_path / "example.py", running.base_url)

        assert await _run(python, script) == "PENDING\n"


async def test_the_node_example(tmp_path: Path) -> None:
    (tmp_path / "node_modules").symlink_to(node_environment() / "node_modules")
    async with simulator() as running:
        script = _write_example("javascript", tmp_path / "example.mjs", running.base_url)

        assert await _run(NODE, script) == "PENDING\n"
