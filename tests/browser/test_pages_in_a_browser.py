"""The pages in a real browser: silent, without requests, usable by keyboard, on paper, on a phone, read aloud."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.browser
PAGES = ["index.html", "migraine/report.html", "failed/cluster/failure.html"]


@pytest.fixture
def open_page(browser: Any, site: Path):
    """Open a page of the site; afterwards no error and no request but the page itself may have been seen."""
    context = browser.new_context()
    errors: list[str] = []
    requests: list[str] = []

    def open_page(name: str, **options: Any) -> Any:
        nonlocal context
        if options:
            context.close()
            context = browser.new_context(**options)
        page = context.new_page()
        page.on(
            "console", lambda message: errors.append(message.text) if message.type in ("error", "warning") else None
        )
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("request", lambda request: requests.append(request.url))
        page.goto((site / name).as_uri())
        return page

    yield open_page
    context.close()
    assert errors == []
    assert all(address.startswith("file://") and address.endswith(".html") for address in requests), requests


@pytest.mark.parametrize("name", PAGES)
def test_a_page_loads_without_an_error_or_a_request(open_page, name: str) -> None:
    assert open_page(name).title()


def test_code_is_folded_and_opens_one_by_one_and_all_at_once(open_page) -> None:
    page = open_page("migraine/report.html")
    code = page.locator("details.code pre").last
    assert not code.is_visible()
    page.locator("details.code summary").last.click()
    assert code.is_visible()
    page.get_by_role("button", name="Show all code").click()
    assert all(item.is_visible() for item in page.locator("details.code pre").all())
    page.get_by_role("button", name="Hide all code").click()
    assert not code.is_visible()


def test_tables_sort_by_number_and_by_text_with_the_keyboard(open_page) -> None:
    page = open_page("migraine/report.html")
    table = page.locator("table", has=page.locator("caption", has_text="Studies")).last
    names = lambda: [cell.inner_text() for cell in table.locator("tbody th").all()]  # noqa: E731
    table.get_by_role("button", name="n", exact=True).focus()
    page.keyboard.press("Enter")
    assert names() == ["Alpha 2021", "Gamma 2019", "Beta 2020"]
    assert table.locator("th[aria-sort=ascending]").count() == 1
    page.keyboard.press("Enter")
    assert names() == ["Beta 2020", "Gamma 2019", "Alpha 2021"]
    table.get_by_role("button", name="study").click()
    assert names() == ["Alpha 2021", "Beta 2020", "Gamma 2019"]


def test_the_first_tab_stop_skips_to_the_content(open_page) -> None:
    page = open_page("migraine/report.html")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent") == "Skip to the content"
    page.keyboard.press("Enter")
    assert page.url.endswith("#main")


@pytest.mark.parametrize("name", PAGES)
def test_a_narrow_screen_needs_no_sideways_scrolling_of_the_page(open_page, name: str) -> None:
    page = open_page(name, viewport={"width": 360, "height": 640})
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_it_prints_without_code_and_navigation(open_page, tmp_path: Path) -> None:
    page = open_page("migraine/report.html")
    page.emulate_media(media="print")
    assert not page.locator("nav.contents").is_visible()
    assert not page.locator("details.code").first.is_visible()
    assert page.locator("table").first.is_visible()
    document = page.pdf(path=str(tmp_path / "report.pdf"))
    assert document.startswith(b"%PDF")


def test_on_paper_a_figure_fits_a_page_and_repeated_table_heads_keep_their_words(open_page) -> None:
    page = open_page("migraine/report.html")
    page.evaluate("document.querySelector('figure svg').setAttribute('viewBox', '0 0 720 3000')")  # a tall figure
    page.emulate_media(media="print")
    millimetres = page.evaluate("document.querySelector('figure svg').getBoundingClientRect().height * 25.4 / 96")
    assert millimetres <= 186  # A4 landscape less its margins
    # a button box in a head is left empty where the head is repeated on the next page
    assert page.evaluate("getComputedStyle(document.querySelector('th button')).display") == "contents"


def test_a_figure_is_shown_near_its_own_size_and_a_long_cell_has_room_on_a_narrow_screen(open_page) -> None:
    page = open_page("migraine/report.html", viewport={"width": 390, "height": 844})
    own = 960  # 720 points
    width = page.evaluate("document.querySelector('figure svg').getBoundingClientRect().width")
    assert 390 < width <= own * 1.25
    long = page.locator("td.words").first
    assert long.evaluate("cell => cell.getBoundingClientRect().width") >= 16 * 14


def test_the_dark_scheme_is_dark(open_page) -> None:
    page = open_page("index.html", color_scheme="dark")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(21, 24, 28)"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_axe_core_finds_no_serious_fault(open_page, name: str, scheme: str) -> None:
    from axe_playwright_python.sync_playwright import Axe

    page = open_page(name, color_scheme=scheme, bypass_csp=True)
    results = Axe().run(page)
    found = [f"{v['id']}: {v['nodes'][0]['html']}" for v in results.response["violations"]
             if v["impact"] in ("serious", "critical")]  # fmt: skip
    assert found == []


def test_without_scripts_everything_can_be_read(open_page) -> None:
    page = open_page("migraine/report.html", java_script_enabled=False)
    assert page.locator("table").count() == 2
    assert page.get_by_text("plain <b>text</b>").is_visible()
