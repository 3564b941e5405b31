"""Faults are switched on and off on the inbox page, and shown wherever they come from."""

import itertools
from collections.abc import Iterator
from contextlib import suppress
from typing import get_args

import httpx
import pytest
from playwright.sync_api import Locator, Page, expect
from pydantic import ValidationError

from browser.calls import faults, register
from browser.conftest import NewNumber
from browser.screens import Screens
from browser.watch import Watch
from otp_auth.simulator.faults import Call, Fault
from support.site import Site

INBOX = "/sandbox/"
NAMES: dict[Call, str] = {"start": "Starts", "report": "Reports", "callback": "Callbacks"}
VALUES = {"delay": 2.0, "status": 500.0}


@pytest.fixture(autouse=True)
def _all_well_again(site: Site) -> Iterator[None]:
    yield
    httpx.delete(f"{site.inbox_address}faults", trust_env=False).raise_for_status()


def row(page: Page, name: str) -> Locator:
    return page.locator("#faults > li").filter(has=page.get_by_role("switch", name=name))


def switch(page: Page, name: str) -> Locator:
    return page.get_by_role("switch", name=name)


def test_one_is_switched_on_and_off(site: Site, page: Page) -> None:
    page.goto(INBOX)
    starts = row(page, "Starts")
    starts.get_by_label("They").select_option("are slow")
    starts.get_by_label("Seconds").fill("1.5")
    starts.get_by_label("Times").fill("7")
    assert faults(site) == []

    switch(page, "Starts").check()

    expect(page.locator("#warning")).to_contain_text("starts are slow, by 1.5 s, 7 times more")
    expect(page.get_by_role("status")).to_contain_text("On: starts are slow")
    assert faults(site) == [{"on": "start", "kind": "delay", "value": 1.5, "times": 7}]
    switch(page, "Starts").uncheck()
    expect(page.locator("#warning")).to_be_hidden()
    assert faults(site) == []


def test_one_that_is_on_changes_with_its_fields(site: Site, page: Page) -> None:
    page.goto(INBOX)
    switch(page, "Reports").check()
    expect(page.locator("#warning")).to_contain_text("reports fail with 503")

    row(page, "Reports").get_by_label("They").select_option("answer garbage")

    expect(page.locator("#warning")).to_contain_text("reports answer garbage")
    expect(row(page, "Reports").get_by_label("Seconds")).to_be_hidden()
    assert faults(site) == [{"on": "report", "kind": "garbage", "value": None, "times": None}]


def test_the_page_has_words_for_every_fault(site: Site, page: Page) -> None:
    """One that it doesn't know would leave the page without its warning."""
    page.goto(INBOX)
    for fault in every_fault():
        httpx.put(
            f"{site.inbox_address}faults", content=fault.model_dump_json(), trust_env=False
        ).raise_for_status()

        choice = row(page, NAMES[fault.on]).get_by_label("They")
        expect(choice).to_have_value(fault.kind)
        expect(page.locator("#warning")).to_contain_text(choice.evaluate("it => it.selectedOptions[0].text"))


def every_fault() -> Iterator[Fault]:
    kinds = get_args(Fault.model_fields["kind"].annotation)
    for call, kind in itertools.product(NAMES, kinds):
        with suppress(ValidationError):  # some kinds of calls can't go wrong in some ways
            yield Fault(on=call, kind=kind, value=VALUES.get(kind))


def test_those_of_others_are_shown_also_after_a_reload(site: Site, screens: Screens) -> None:
    page, other = screens.open(INBOX), screens.open(INBOX)
    fault = {"on": "callback", "kind": "delay", "value": 3}
    httpx.put(f"{site.inbox_address}faults", json=fault, trust_env=False).raise_for_status()
    switch(other, "Reports").check()

    for each in (page, other):
        expect(each.locator("#warning")).to_contain_text("callbacks are late, by 3 s; reports fail with 503")
        expect(switch(each, "Callbacks")).to_be_checked()
    page.reload()
    expect(switch(page, "Callbacks")).to_be_checked()
    expect(row(page, "Callbacks").get_by_label("Seconds")).to_have_value("3")
    expect(switch(page, "Starts")).not_to_be_checked()

    page.get_by_role("button", name="All well again").click()

    for each in (page, other):
        expect(each.locator("#warning")).to_be_hidden()
        expect(switch(each, "Callbacks")).not_to_be_checked()
    assert faults(site) == []


def test_one_that_is_used_up_switches_itself_off(site: Site, page: Page, new_number: NewNumber) -> None:
    page.goto(INBOX)
    row(page, "Starts").get_by_label("They").select_option("deliver nothing")
    row(page, "Starts").get_by_label("Times").fill("1")
    switch(page, "Starts").check()
    expect(page.locator("#warning")).to_contain_text("starts deliver nothing, once more")
    number = new_number()

    register(site, number)

    expect(switch(page, "Starts")).not_to_be_checked()
    message = page.locator("#messages > li").filter(has_text=number)
    expect(message.locator(".status")).to_have_text("Not delivered")


@pytest.mark.parametrize(
    ("value", "words"), [("9999", "seconds from 0 to 600"), ("", "a delay needs a value")]
)
def test_what_cannot_be_is_refused_in_words(
    site: Site, page: Page, watch: Watch, value: str, words: str
) -> None:
    watch.allow(r"answer 422: PUT .*/faults$")
    page.goto(INBOX)
    starts = row(page, "Starts")
    starts.get_by_label("They").select_option("are slow")
    starts.get_by_label("Seconds").fill(value)

    switch(page, "Starts").click()

    expect(starts.get_by_role("alert")).to_contain_text(words)
    expect(switch(page, "Starts")).not_to_be_checked()
    assert faults(site) == []
