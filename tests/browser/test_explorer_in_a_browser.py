"""The explorer as an app without code (Voila) and in JupyterLab: it opens, follows the controls and shows no error."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.browser
ROOT = Path(__file__).parents[2]
START_SECONDS, LOOK_SECONDS = 60, 120
OWN = re.compile(r"(?:http|ws)://127\.0\.0\.1:|data:|blob:")
SHOTS = os.environ.get("EXPLORER_SCREENSHOTS", "")  # a folder to look at the screenshots by eye


@pytest.fixture
def workplace(tmp_path: Path) -> Path:
    """A copy of the notebook beside the project's data, so that a test cannot change either."""
    (tmp_path / "notebooks").mkdir()
    shutil.copy(ROOT / "notebooks" / "explore.ipynb", tmp_path / "notebooks")
    shutil.copytree(ROOT / "notebooks" / "voila", tmp_path / "notebooks" / "voila")
    (tmp_path / "data").symlink_to(ROOT / "data")
    return tmp_path


@pytest.fixture
def serve(workplace: Path) -> Iterator[Any]:
    """Start what a target of the Makefile starts, on a free port of this machine; it ends with the test."""
    started: list[subprocess.Popen[bytes]] = []

    def serve(target: str, options: str) -> str:
        with socket.socket() as found:
            found.bind(("127.0.0.1", 0))
            port = found.getsockname()[1]
        environment = os.environ | {
            "JUPYTER_CONFIG_DIR": str(workplace / "config"),
            "JUPYTER_RUNTIME_DIR": str(workplace / "runtime"),
            "JUPYTERLAB_SETTINGS_DIR": str(workplace / "lab-settings"),
            "JUPYTERLAB_WORKSPACES_DIR": str(workplace / "workspaces"),
        }
        with (workplace / "server.log").open("wb") as log:
            command = f"{made_by(target)} {options} --no-browser --port={port}"
            started.append(
                subprocess.Popen(
                    command, shell=True, start_new_session=True, cwd=workplace, env=environment, stdout=log, stderr=log
                )
            )
        address = f"http://127.0.0.1:{port}"
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline:
            try:
                urllib.request.urlopen(f"{address}/static/none", timeout=5)
            except urllib.error.HTTPError:
                return address
            except OSError:
                time.sleep(0.3)
        pytest.fail((workplace / "server.log").read_text(encoding="utf-8", errors="replace"))

    yield serve
    for process in started:
        os.killpg(process.pid, signal.SIGTERM)
    for process in started:
        process.wait(timeout=20)


def made_by(target: str) -> str:
    """The command of a target of the Makefile, with this Python's programs."""
    found = re.search(rf"^{target}:.*\n\t@(.*)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE)
    assert found, target
    return found[1].replace("$(BIN)", os.fspath(Path(sys.executable).parent))


@pytest.fixture
def page(browser: Any) -> Iterator[Any]:
    """A page on which no script may fail, nothing may be missing and nothing may be asked from another machine."""
    context = browser.new_context(viewport={"width": 1400, "height": 1000})
    page = context.new_page()
    faults: list[str] = []
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.on("console", lambda message: faults.append(message.text) if message.type == "error" else None)
    page.on("request", lambda request: faults.append(request.url) if not OWN.match(request.url) else None)
    yield page
    screenshot(page, "last")
    context.close()
    assert faults == []


def shown(page: Any) -> str:
    """The text of the figure on the screen."""
    return str(page.locator(".explorer svg").first.text_content())


def choose(page: Any, label: str, title: str) -> None:
    page.locator(".explorer").get_by_label(label, exact=True).select_option(title)


def wait_until(page: Any, condition: str, state: str = "visible") -> None:
    page.locator(condition).first.wait_for(timeout=1000 * LOOK_SECONDS, state=state)


def screenshot(page: Any, name: str) -> None:
    if SHOTS:
        page.screenshot(path=str(Path(SHOTS) / f"{name}.png"), full_page=True)


def test_the_app_follows_its_controls(serve: Any, page: Any) -> None:
    address = serve("app", "--Voila.ip=127.0.0.1")
    page.goto(f"{address}/?outcome=responder_any&stream=proportion&window=any&method=DL")
    wait_until(page, ".explorer svg")
    assert page.locator("text=import headache_evidence").count() == 0, "the app must show no code"
    first = shown(page)
    assert "τ² by DL" in first, "the state of the address must be used"

    choose(page, "Estimator", "REML")
    wait_until(page, ".explorer svg:has-text('τ² by REML')")
    choose(page, "Headache", "Cluster headache")
    wait_until(page, ".explorer .words:has-text('Cluster headache:')")
    cluster = shown(page)
    assert cluster != first

    words = page.locator(".explorer .words").first
    before = words.text_content()
    page.locator(".explorer .study-button").first.locator("xpath=..").locator("input[type=checkbox]").click()
    page.wait_for_function("before => document.querySelector('.explorer .words').textContent !== before", arg=before)
    page.locator(".explorer .study-button").first.click()
    wait_until(page, ".explorer .study-card dl")
    assert page.locator(".explorer .study-card a[href^=http]").count() > 0
    screenshot(page, "voila-card")

    for tab in ("Funnel plot", "Numbers", "Left out", "Keep and copy"):
        page.get_by_role("tab", name=tab).click()
        page.wait_for_timeout(500)
        screenshot(page, f"voila-{tab.lower().replace(' ', '-')}")
    wait_until(page, ".explorer pre.copy:has-text('headache_type: cluster')")
    page.get_by_role("button", name="Copy").first.click()
    wait_until(page, ".explorer button:has-text('Copied')")
    assert "method=REML" in str(page.get_by_text("link to this view").get_attribute("href"))
    page.get_by_text("Find questions with an answer").click()
    wait_until(page, ".explorer option:has-text('questions with an answer: choose')", "attached")
    assert page.locator(".explorer .fault").count() == 0
    page.set_viewport_size({"width": 420, "height": 900})
    page.get_by_role("tab", name="Forest plot").click()
    page.wait_for_function("document.documentElement.scrollWidth <= window.innerWidth")
    screenshot(page, "voila-narrow")


def test_jupyterlab_runs_the_notebook_and_its_widgets(serve: Any, page: Any, workplace: Path) -> None:
    whole = workplace / "lab-settings" / "@jupyterlab" / "notebook-extension" / "tracker.jupyterlab-settings"
    whole.parent.mkdir(parents=True)
    whole.write_text('{"windowingMode": "none"}', encoding="utf-8")  # cells out of sight would not be drawn
    address = serve(
        "lab", "--allow-root --ip=127.0.0.1 --IdentityProvider.token= --ServerApp.password= --LabApp.news_url="
    )  # fmt: skip
    page.goto(f"{address}/lab/tree/explore.ipynb")
    page.get_by_text("Python 3 (ipykernel) | Idle").wait_for(timeout=1000 * LOOK_SECONDS)
    page.get_by_role("menuitem", name="Run", exact=True).click()
    page.get_by_role("menuitem", name="Run All Cells", exact=True).hover()
    page.keyboard.press("Enter")
    wait_until(page, ".explorer svg", "attached")
    page.locator(".explorer").first.scroll_into_view_if_needed()
    first = shown(page)
    choose(page, "Evidence", "change from baseline, no control (low certainty)")
    wait_until(page, ".explorer .words:has-text('There is no control group'), .explorer .words:has-text('No study')")
    page.wait_for_function("first => document.querySelector('.explorer svg').textContent !== first", arg=first)
    assert page.locator(".jp-OutputArea-output[data-mime-type='application/vnd.jupyter.error']").count() == 0
    screenshot(page, "jupyterlab")
