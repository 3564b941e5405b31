"""What keeps people from using a page, found by axe-core."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Page

from support.npm import install_packages

_RUN = "async () => (await axe.run(document, {resultTypes: ['violations']})).violations"
_SERIOUS = {"serious", "critical"}


@dataclass(frozen=True)
class Axe:
    """Looks at pages, once they show what is to be looked at."""

    source: str

    def assert_no_serious_violation(self, page: Page) -> None:
        page.evaluate(self.source)  # the driver's word: no policy of the page is in its way
        serious = [_line(each) for each in page.evaluate(_RUN) if each["impact"] in _SERIOUS]
        assert not serious, "\n".join(serious)


def installed_axe(folder: Path) -> Axe:
    """Install it into this folder, as the lock file says."""
    install_packages(Path(__file__).parent / "node", folder)
    return Axe((folder / "node_modules" / "axe-core" / "axe.min.js").read_text(encoding="utf-8"))


def _line(violation: dict[str, Any]) -> str:
    places = "; ".join(f"{node['html']} ({node['failureSummary']})" for node in violation["nodes"])
    return f"{violation['impact']} {violation['id']}: {violation['help']}: {places}"
