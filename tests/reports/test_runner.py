"""The runner against every way in which papermill takes a broken run for a good one (P1 ... P16)."""

from __future__ import annotations

import json
import os
import re
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest
from waiting import has_ended

from headache_evidence.errors import NotebookError, ParameterError
from headache_evidence.reports.nursery import Nursery, WarmProcess
from headache_evidence.reports.processes import forking_available
from headache_evidence.reports.runner import ExecutedNotebook, NotebookRunError, run_notebook

TYPE = {"headache_type": "cluster"}


Run = Callable[..., ExecutedNotebook]


@pytest.fixture
def run(warm_nursery: Nursery | None) -> Run:
    def run(path: Path, parameters: dict[str, object] = TYPE, **options: object) -> ExecutedNotebook:
        options = {"nursery": warm_nursery, "log": path.with_name("log.txt"), **options}
        return run_notebook(path, parameters, **options)

    return run


def outputs(executed: ExecutedNotebook) -> list[object]:
    cells = executed.notebook.cells
    return [output.get("text") or dict(output.data) for cell in cells for output in cell.get("outputs", [])]


def test_a_good_run_gives_the_parameters_to_the_notebook_and_tells_its_cost(run: Run, make_notebook) -> None:
    path = make_notebook("print(headache_type)")
    executed = run(path)
    assert outputs(executed) == ["cluster\n"]
    assert executed.run.peak_memory_mb > 10
    assert 0 < executed.run.start_seconds < executed.run.seconds


@pytest.mark.parametrize(
    ("cell", "reason"),
    [
        ("1/0", "cell 3: ZeroDivisionError"),
        ("import sys; sys.exit(0)", "cell 3: SystemExit"),
        ("import sys; sys.exit(1)", "cell 3: SystemExit"),
        ("import os; os.kill(os.getpid(), 9)", "cell 3: the kernel died"),
        ("import ctypes; ctypes.string_at(0)", "cell 3: the kernel died"),
        ("raise KeyboardInterrupt", "cell 3: KeyboardInterrupt"),
        ("1 +", "cell 3: SyntaxError"),
        ("class X:\n    def __repr__(self): raise ValueError('no')\nX()", "cell 3: ValueError"),
        ("exit()", "cell 4: the kernel died"),
    ],
    ids=["exception", "exit 0", "exit 1", "kill -9", "segfault", "interrupt", "no Python", "no repr", "exit()"],
)
def test_a_cell_that_ends_the_run_is_a_failure_with_notebook_and_cell(
    run: Run, make_notebook, cell: str, reason: str
) -> None:
    path = make_notebook(cell, "print('after')")
    with pytest.raises(NotebookRunError, match=reason) as caught:
        run(path)
    assert "01_test.ipynb" in str(caught.value)
    assert caught.value.executed is not None


def test_a_hanging_cell_is_stopped_and_named(run: Run, make_notebook) -> None:
    path = make_notebook("import time; print('seen'); time.sleep(60)")
    with pytest.raises(NotebookRunError, match="cell 3: stopped after 1 s") as caught:
        run(path, timeout=1.0)
    assert caught.value.executed.cells[-1].outputs[0].text == "seen\n"


def test_a_cell_that_shows_more_and_more_is_stopped(run: Run, make_notebook) -> None:
    path = make_notebook("import time\nwhile True:\n    display(1)\n    time.sleep(0.01)")
    with pytest.raises(NotebookRunError, match="cell 3: stopped after 1 s"):
        run(path, timeout=1.0)


def test_the_death_of_a_notebook_is_seen_at_once_and_ends_the_processes_it_started(run: Run, make_notebook) -> None:
    path = make_notebook(
        "import multiprocessing as mp, os, subprocess, time",
        "print(subprocess.Popen(['sleep', '600']).pid, flush=True)",
        "mp.get_context('fork').Process(target=time.sleep, args=(600,)).start(); os.kill(os.getpid(), 9)",
    )
    with pytest.raises(NotebookRunError, match="cell 5: the kernel died") as caught:
        run(path, timeout=30.0)
    pid = int(caught.value.executed.cells[-2].outputs[0].text)
    assert has_ended(pid)


def test_the_time_limit_counts_for_all_cells_together(run: Run, make_notebook) -> None:
    path = make_notebook(*["import time; time.sleep(0.5)"] * 6)
    with pytest.raises(NotebookRunError, match="stopped after"):
        run(path, timeout=1.0)


def test_a_mistyped_parameter_is_refused_before_a_kernel_starts(run: Run, make_notebook) -> None:
    path = make_notebook("1")
    with pytest.raises(ParameterError, match="no parameter 'hedache_type'"):
        run(path, {"hedache_type": "cluster"})
    assert not path.with_name("log.txt").exists()


@pytest.mark.parametrize("count", [0, 2])
def test_a_notebook_without_one_parameters_cell_is_refused(run: Run, make_notebook, count: int) -> None:
    path = make_notebook("1")
    notebook = json.loads(path.read_text())
    cell = notebook["cells"].pop(1)
    notebook["cells"][1:1] = [cell] * count
    path.write_text(json.dumps(notebook))
    with pytest.raises(NotebookError, match=f"{count} cells are tagged"):
        run(path)


def test_a_file_that_is_no_notebook_is_refused(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "x.ipynb"
    path.write_text("<html>")
    with pytest.raises(NotebookError, match="not a readable notebook"):
        run(path)


def test_braces_in_a_path_are_not_taken_for_fields(run: Run, make_notebook, tmp_path: Path) -> None:
    path = make_notebook("1", name="01_{x}.ipynb")
    run_notebook(path, TYPE, log=tmp_path / "{y}" / "log.txt")
    assert (tmp_path / "{y}" / "log.txt").exists()


def test_the_working_folder_of_this_process_stays(run: Run, make_notebook) -> None:
    before = os.getcwd()
    path = make_notebook("import os; print(os.path.basename(os.getcwd()))")
    executed = run(path)
    assert os.getcwd() == before
    assert outputs(executed) == ["notebooks\n"]


def test_outputs_stored_in_a_notebook_do_not_count(run: Run, make_notebook) -> None:
    path = make_notebook("print('fresh')", "1/0 if headache_type == 'migraine' else None")
    notebook = json.loads(path.read_text())
    for cell in notebook["cells"][2:]:
        cell["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "stored"}]
        cell["execution_count"] = 7
    path.write_text(json.dumps(notebook))
    assert outputs(run(path)) == ["fresh\n"]
    assert "stored" in path.read_text()


PLOT = (
    "%matplotlib inline",
    "import pandas as pd, numpy as np\nimport matplotlib.pyplot as plt",
    "plt.plot([1, 3, 2]);",
    "pd.DataFrame({'a': [1.5, None]})",
    "import os, locale; print(plt.get_backend(), os.environ['TZ'], hash('x'), np.ones(3).sum())",
)
SHOWN = (
    "import sys; from IPython.display import HTML, Image, clear_output, display, update_display",
    "print('one'); print('two', file=sys.stderr); display(HTML('<b>three</b>')); print('four')",
    "handle = display('first', display_id=True)",
    "handle.update('second'); update_display('third', display_id='nobody')",
    "print('gone'); clear_output(); print('stays')",
    "display('gone too'); clear_output(wait=True); display('stays, too')",
    "Image(data=b'\\x89PNG', format='png')",
    "1 + 1",
    "_ + len(In), list(Out)",
    "import asyncio\nawait asyncio.sleep(0)\n'awaited'",
    "later = asyncio.create_task(asyncio.sleep(0, 'later'))",
    "await later",
    "waits = asyncio.sleep(0)",
    "try:\n    asyncio.run(waits)\nexcept RuntimeError as error:\n    print(error)\nwaits.close()",
    "from concurrent.futures import ThreadPoolExecutor\nlist(ThreadPoolExecutor(1).map(print, 'ab'));",
    "%who_ls",
    "'\\ud800', '\\u2028', __name__, sys.stdout.encoding, get_ipython().__class__.__name__",
    "def f(x):\n    return 1 / x",
    "try:\n    f(0)\nexcept ZeroDivisionError as error:\n    print(type(error), get_ipython().execution_count)",
)


@pytest.mark.skipif(not forking_available(), reason="this system has no fork server")
@pytest.mark.parametrize("cells", [PLOT, SHOWN], ids=["plot", "shown"])
def test_forked_shells_and_ordinary_kernels_give_the_same_outputs(run: Run, make_notebook, warm_nursery, cells) -> None:
    path = make_notebook(*cells)
    results = []
    for nursery in (warm_nursery, None):
        executed = run(path, nursery=nursery).notebook
        shown = [cell.get("outputs") for cell in executed.cells]
        text = json.dumps([shown, executed.metadata["language_info"]], indent=1)
        results.append(re.sub(r"0x[0-9a-f]+", "varies", text))
    assert results[0] == results[1]


PARTS = "import sys, time\nfor part in ('a', 'b', 'c\\n'):\n    print(part, end='', flush=True)\n    time.sleep(0.05)"


@pytest.mark.parametrize("forked", [True, False])
def test_a_text_that_comes_in_parts_is_one_output(run: Run, make_notebook, request, forked: bool) -> None:
    if forked and not forking_available():
        pytest.skip("this system has no fork server")
    nursery = request.getfixturevalue("warm_nursery") if forked else None
    both = f"{PARTS}\nprint('d', file=sys.stderr, flush=True)\nprint('e')"
    path = make_notebook(both, PARTS, "1 / 0")
    with pytest.raises(NotebookRunError) as failure:
        run(path, nursery=nursery)
    cells = [cell for cell in failure.value.executed.cells if cell.cell_type == "code" and cell.outputs]
    shown = [[(output.name, output.text) for output in cell.outputs] for cell in cells[:2]]
    assert shown == [[("stdout", "abc\n"), ("stderr", "d\n"), ("stdout", "e\n")], [("stdout", "abc\n")]]


@pytest.mark.skipif(not forking_available(), reason="this system has no fork server")
def test_what_other_processes_print_goes_to_the_log(run: Run, make_notebook, warm_nursery) -> None:
    path = make_notebook(
        "import os, subprocess, sys, multiprocessing as mp",
        "subprocess.run([sys.executable, '-c', 'print(1234)'], stdout=sys.stdout, check=True);",
        "child = mp.get_context('fork').Process(target=print, args=(5678,)); child.start(); child.join()",
        "os.system('echo 9012'); print('shown')",
    )
    assert outputs(run(path)) == ["shown\n"]
    log = path.with_name("log.txt").read_text()
    assert [word for word in ("1234", "5678", "9012") if word not in log] == []


def test_processes_of_a_notebook_end_with_it(run: Run, make_notebook) -> None:
    path = make_notebook("import subprocess; print(subprocess.Popen(['sleep', '600']).pid)")
    pid = int(str(outputs(run(path))[0]))
    assert has_ended(pid)


def prepared() -> None:
    """Stands for what a nursery works out while its first notebook runs."""
    sys.modules["prepared_in_the_nursery"] = sys


def failing() -> None:
    """Stands for work that cannot be done ahead."""
    raise ValueError("not now")


@pytest.mark.skipif(not forking_available(), reason="this system has no fork server")
@pytest.mark.parametrize(("prepare", "expected"), [(prepared, "True\n"), (failing, "False\n")])
def test_all_notebooks_but_the_first_have_in_memory_what_their_nursery_prepared(
    run: Run, make_notebook, warm: WarmProcess, prepare, expected
) -> None:
    path = make_notebook("import sys; print('prepared_in_the_nursery' in sys.modules)")
    nursery = warm.open_nursery(prepare)
    assert nursery is not None
    try:
        shown = [outputs(run(path, nursery=nursery)) for _ in range(3)]
    finally:
        nursery.connection.close()
    assert shown == [["False\n"], [expected], [expected]]


def until_told(go: Path, over: Path) -> None:
    """Stands for long work of a nursery."""
    while not go.exists():
        time.sleep(0.02)
    over.touch()


@pytest.mark.skipif(not forking_available(), reason="this system has no fork server")
def test_a_notebook_that_fails_is_told_and_ended_while_its_nursery_is_busy(
    run: Run, make_notebook, warm: WarmProcess, tmp_path: Path
) -> None:
    nursery = warm.open_nursery(partial(until_told, tmp_path / "go", tmp_path / "over"))
    assert nursery is not None
    path = make_notebook("import os; raise ValueError(f'process {os.getpid()}.')")
    with pytest.raises(NotebookRunError, match="process") as told:
        run(path, nursery=nursery)
    assert has_ended(int(str(told.value).split("process ")[1].rstrip(".")))
    assert not (tmp_path / "over").exists()
    (tmp_path / "go").touch()
    later = run(make_notebook("print('later')", name="later.ipynb"), nursery=nursery)
    nursery.connection.close()
    assert outputs(later) == ["later\n"]
    assert (tmp_path / "over").exists()


def test_the_kernel_ends_when_the_run_has_ended(run: Run, make_notebook) -> None:
    path = make_notebook("import os; print(os.getpid())")
    pid = int(str(outputs(run(path))[0]))
    assert has_ended(pid)


def test_a_kernel_that_does_not_start_is_tried_once_more_in_the_ordinary_way(
    run: Run, make_notebook, monkeypatch
) -> None:
    from headache_evidence.reports import runner

    tried = []
    real = runner._execute

    def execute(source, parameters, log, timeout, nursery):  # type: ignore[no-untyped-def]
        tried.append(nursery is not None)
        if len(tried) == 1:
            raise runner._StartupError("no port")
        return real(source, parameters, log, timeout, nursery)

    monkeypatch.setattr(runner, "_execute", execute)
    run(make_notebook("1"))
    assert tried == [True, False]
    tried.clear()
    monkeypatch.setattr(runner, "_execute", lambda *_, **__: (_ for _ in ()).throw(runner._StartupError("no port")))
    with pytest.raises(NotebookRunError, match="did not start, twice"):
        run(make_notebook("1"))


def test_nothing_is_read_from_or_written_to_the_home_folder(
    run: Run, make_notebook, tmp_path: Path, monkeypatch
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    home.chmod(0o500)
    monkeypatch.setenv("HOME", str(home))
    path = make_notebook("import pathlib; print(pathlib.Path.home().name)")
    assert outputs(run(path, nursery=None)) == ["home\n"]
    assert not list(home.iterdir())
