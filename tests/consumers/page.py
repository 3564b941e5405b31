"""The examples of docs/verify-tokens.md, as they stand there."""

import re
from dataclasses import dataclass
from pathlib import Path

PAGE = Path(__file__).resolve().parents[2] / "docs" / "verify-tokens.md"
# The first line of an example names its file: `# orders.py: …`, `// orders.mjs: …`.
BLOCK = re.compile(r"^```(?P<language>\w+)\n(?P<code>.*?)^```$", re.DOTALL | re.MULTILINE)
NAME = re.compile(r"(?:#|//) (?P<name>[\w.]+)[:,]")


@dataclass(frozen=True)
class Block:
    language: str
    name: str | None  # None: shown, not meant to be a file
    code: str


def text() -> str:
    return PAGE.read_text(encoding="utf-8")


def blocks() -> list[Block]:
    found = []
    for match in BLOCK.finditer(text()):
        name = NAME.match(match["code"])
        found.append(Block(match["language"], name["name"] if name else None, match["code"]))
    return found


def example(name: str) -> str:
    (code,) = [block.code for block in blocks() if block.name == name]
    return code


def rows(heading: str) -> list[list[str]]:
    """Return the cells of the table below a heading, its head left out."""
    (section,) = re.findall(rf"^## {heading}\n(.*?)(?=^## )", text(), re.DOTALL | re.MULTILINE)
    lines = re.findall(r"^\| `.*\|$", section, re.MULTILINE)
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]
