"""The examples of docs/verify-tokens.md, as they stand there."""

import re
from dataclasses import dataclass

from support import documents

PAGE = "docs/verify-tokens.md"
# The first line of an example names its file: `# orders.py: …`, `// orders.mjs: …`.
NAME = re.compile(r"(?:#|//) (?P<name>[\w.]+)[:,]")


@dataclass(frozen=True)
class Block:
    language: str
    name: str | None  # None: shown, not meant to be a file
    code: str


def text() -> str:
    return documents.read(PAGE)


def blocks() -> list[Block]:
    found = []
    for language, code in documents.blocks(PAGE):
        name = NAME.match(code)
        found.append(Block(language, name["name"] if name else None, code))
    return found


def example(name: str) -> str:
    (code,) = [block.code for block in blocks() if block.name == name]
    return code


def rows(heading: str) -> list[list[str]]:
    return documents.rows(PAGE, heading)
