"""docs/simulator.md, as it stands there."""

from support import documents

PAGE = "docs/simulator.md"
TEXT = documents.read(PAGE)
ADDRESS = "http://127.0.0.1:9100"  # of the simulator alone, in the guide


def commands() -> str:
    return "\n".join(text for language, text in documents.blocks(PAGE) if language == "bash")


def rows(heading: str) -> list[list[str]]:
    return documents.rows(PAGE, heading)
