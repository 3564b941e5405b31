"""docs/simulator.md, as it stands there."""

import re
from pathlib import Path

TEXT = (Path(__file__).resolve().parents[2] / "docs" / "simulator.md").read_text(encoding="utf-8")
ADDRESS = "http://127.0.0.1:9100"  # of the simulator alone, in the guide


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE)


def rows(heading: str) -> list[list[str]]:
    """Return the cells of the tables below a heading, their heads left out."""
    (section,) = re.findall(rf"^## {heading}\n(.*?)(?=^## )", TEXT, re.DOTALL | re.MULTILINE)
    lines = re.findall(r"^\| `.*\|$", section, re.MULTILINE)
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]
