"""The page at `/docs` and its files: public, kept by browsers, closed to others."""

import re

import pytest

PAGE = "/docs"


@pytest.fixture
def page(anyone):
    """The answer with the page."""
    return anyone.get(PAGE)


def addresses(page) -> list[str]:
    """Where the page loads its files from."""
    loaded = r'<(?:link|script)[^>]* (?:href|src)="([^"]+)"'
    return re.findall(loaded, page.text)


def test_the_root_leads_to_the_page(anyone):
    answer = anyone.get("/")

    assert (answer.status_code, answer.headers["Location"]) == (302, PAGE)


def test_it_needs_no_token(page):
    assert (page.status_code, page.mimetype) == (200, "text/html")


def test_a_trailing_slash_changes_nothing(anyone, page):
    assert anyone.get(f"{PAGE}/").data == page.data


def test_every_file_of_the_page_is_there_and_may_be_kept_for_ever(anyone, page):
    answers = [anyone.get(address) for address in addresses(page)]

    assert [each.status_code for each in answers] == [200] * 5
    assert {each.headers["Cache-Control"] for each in answers} == {
        "public, max-age=31536000, immutable"
    }


def test_files_are_addressed_by_what_is_in_them(anyone, page):
    for address in addresses(page):
        path, digest = address.split("?")
        assert anyone.get(path).headers["ETag"] == f'"{digest}"'


def test_the_page_itself_is_asked_about(anyone, page):
    tag = page.headers["ETag"]

    assert anyone.get(PAGE, headers={"If-None-Match": tag}).status_code == 304
    assert page.headers["Cache-Control"] == "no-cache"


def test_the_bundle_is_compressed_for_who_accepts_that(anyone):
    path = f"{PAGE}/swagger-ui-bundle.js"
    packed = anyone.get(path, headers={"Accept-Encoding": "gzip"})

    assert packed.headers["Content-Encoding"] == "gzip"
    assert len(packed.data) < len(anyone.get(path).data) / 3


def test_nothing_inline_and_nothing_from_elsewhere_runs(page):
    policy = page.headers["Content-Security-Policy"]

    assert "default-src 'none'; script-src 'self'; style-src 'self';" in policy
    assert "unsafe" not in policy
    assert re.findall(r"https?://|<style|<script>| style=| on\w+=", page.text) == []


@pytest.mark.parametrize("name", ["index.html", "../page.py", "VERSION", "x"])
def test_nothing_else_is_served(anyone, alice, name):
    assert anyone.get(f"{PAGE}/{name}").status_code == 401
    assert alice.get(f"{PAGE}/{name}").status_code == 404
