"""Where the `type` of each refusal leads: a page that teaches, and the same as JSON."""

import re
from base64 import b64encode
from hashlib import sha256
from html import unescape

import pytest
from api_surface import STATUS_OF, code_of, problem_of

from otp_auth.api.problem_catalogue import LESSONS
from otp_auth.api.problems import all_refusals
from otp_auth.api.schemas import ProblemExplanation
from support.service import PUBLIC_URL, Service

BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}


@pytest.fixture
def database_url(sqlite_database: str) -> str:
    return sqlite_database


def plain(text: str) -> str:
    return text.replace("`", "")


def test_every_refusal_is_in_the_contract() -> None:
    assert {code: int(error.status) for code, error in all_refusals().items()}.items() <= STATUS_OF.items()


@pytest.mark.parametrize("code", sorted(all_refusals()))
async def test_each_code_is_explained(service: Service, code: str) -> None:
    data = await service.http.get(f"/problems/{code}")
    page = await service.http.get(f"/problems/{code}", headers=BROWSER)

    explained = data.json()
    ProblemExplanation.model_validate(explained)
    assert explained["example"]["code"] == code
    assert data.headers["content-type"] == "application/json"
    assert explained["type"] == f"{PUBLIC_URL}/problems/{code}"
    assert (explained["code"], explained["status"]) == (code, STATUS_OF[code])
    assert explained["title"]
    assert explained["detail"]
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert code in page.text
    for name in ("title", "meaning", "when", "show", "next_step"):
        assert plain(explained[name]) in plain(unescape(re.sub(r"</?code>", "", page.text)))


async def test_a_code_with_several_causes_is_explained_in_general(service: Service) -> None:
    explained = (await service.http.get("/problems/validation_failed")).json()

    assert explained["detail"] == "Correct the fields named in `errors`."


async def test_the_type_of_a_real_problem_leads_to_its_explanation(service: Service) -> None:
    problem = problem_of(await service.get("/me"))

    explained = (await service.http.get(problem["type"])).json()

    assert {name: problem[name] for name in ("type", "title", "status", "code")} == {
        name: explained[name] for name in ("type", "title", "status", "code")
    }


async def test_an_unknown_code_is_not_found(service: Service) -> None:
    answers = [await service.http.get("/problems/nonsense", headers=headers) for headers in ({}, BROWSER)]

    assert [code_of(answer) for answer in answers] == ["not_found"] * 2


async def test_the_page_escapes_what_it_shows(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    hostile = "<script>alert('x')</script>"
    refusals = all_refusals()
    for name in ("title", "detail"):
        monkeypatch.setattr(refusals["not_found"], name, hostile)

    page = await service.http.get("/problems/not_found", headers=BROWSER)

    assert "<script" not in page.text
    assert "&lt;script&gt;" in page.text


def test_each_code_of_the_contract_is_taught_and_no_other() -> None:
    assert LESSONS.keys() == STATUS_OF.keys()


async def test_the_policy_allows_the_style_and_nothing_else(service: Service) -> None:
    page = await service.http.get("/problems/not_found", headers=BROWSER)

    (style,) = re.findall(r"<style>(.*?)</style>", page.text, re.DOTALL)
    digest = b64encode(sha256(style.encode()).digest()).decode()
    policy = dict(part.split(" ", 1) for part in page.headers["content-security-policy"].split("; "))
    assert policy == {
        "default-src": "'none'",
        "style-src": f"'sha256-{digest}'",
        "frame-ancestors": "'none'",
        "base-uri": "'none'",
        "form-action": "'none'",
    }


async def test_each_page_leads_to_all_others(service: Service) -> None:
    page = await service.http.get("/problems/not_found", headers=BROWSER)

    links = re.findall(r'<a href="([^"]+)"', page.text)
    answers = [await service.http.get(f"/problems/{link}", headers=BROWSER) for link in links]
    assert set(links) == LESSONS.keys()
    assert {answer.status_code for answer in answers} == {200}
