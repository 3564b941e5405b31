"""The Markdown pages of this repository."""

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PAGES = [
    "README.md",
    "CHANGELOG.md",
    "SECURITY.md",
    *sorted(f"docs/{p.name}" for p in ROOT.glob("docs/*.md")),
]
ADDRESS = "http://127.0.0.1:8000"  # of `./dev start`, in the pages


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def blocks(page: str) -> list[tuple[str, str]]:
    """Return the language and the text of each fenced block."""
    return re.findall(r"^```(\w+)\n(.*?)^```$", read(page), re.DOTALL | re.MULTILINE)


def block(page: str, language: str, beginning: str = "") -> str:
    """Return the one fenced block of a page that begins so."""
    (found,) = [text for of, text in blocks(page) if of == language and text.startswith(beginning)]
    return found


def rows(page: str, heading: str) -> list[list[str]]:
    """Return the cells of the tables below a heading, their heads left out."""
    (section,) = re.findall(rf"^## {heading}\n(.*?)(?=^## )", read(page), re.DOTALL | re.MULTILINE)
    lines = re.findall(r"^\| `.*\|$", section, re.MULTILINE)
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]
