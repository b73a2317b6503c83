"""Puts finished work where readers see it: built aside, flushed to disk, swapped in whole."""

from __future__ import annotations

import contextlib
import ctypes
import errno
import json
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from headache_evidence.errors import HeadacheEvidenceError, InputError

BUILD_PREFIX = ".build-"
OLD_PREFIX = ".old-"
_AT_FDCWD, _RENAME_EXCHANGE = -100, 2


class RunningError(HeadacheEvidenceError):
    """Another run is writing to the same folder."""


@contextlib.contextmanager
def run_lock(output_dir: Path, wait: float = 0.0) -> Iterator[None]:
    """Hold the right to write to ``output_dir``; the system gives it back however this process ends.

    Raises
    ------
    RunningError
        another process holds it (after waiting ``wait`` seconds); the message names its process id.
    InputError
        the folder cannot be written.
    """
    import filelock

    holder = output_dir / ".lock-holder"
    try:
        output_dir.mkdir(parents=True, exist_ok=True)
        lock = filelock.FileLock(output_dir / ".lock", timeout=wait)
        lock.acquire()
    except filelock.Timeout as error:
        pid = holder.read_text(encoding="ascii").strip() if holder.exists() else "unknown"
        raise RunningError(
            f"Another run (process {pid}) is writing to {output_dir.name}/; wait for it to end."
        ) from error
    except OSError as error:
        raise InputError(f"{output_dir}: cannot be written ({error.strerror}).") from error
    try:
        holder.write_text(str(os.getpid()), encoding="ascii")
        yield
    finally:
        with contextlib.suppress(OSError):
            holder.unlink()
        lock.release()


@contextlib.contextmanager
def build_folder(output_dir: Path) -> Iterator[Path]:
    """A folder beside the reports to build in; it is gone afterwards. Call with the lock held."""
    tidy(output_dir)
    folder = output_dir / f"{BUILD_PREFIX}{os.getpid()}"
    try:
        folder.mkdir(parents=True)
    except OSError as error:
        raise InputError(f"{output_dir}: cannot be written ({error.strerror}).") from error
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def tidy(output_dir: Path) -> None:
    """Finish or undo what a killed run left: restore a report that was between two renames, remove the rest."""
    folders = [output_dir, *(path for path in output_dir.iterdir() if path.is_dir() and not path.name.startswith("."))]
    for old in sorted(path for folder in folders for path in folder.glob(f"{OLD_PREFIX}*")):
        final = old.with_name(old.name.removeprefix(OLD_PREFIX))
        if old.is_dir() and not final.exists():
            os.rename(old, final)
        else:
            _remove(old)
    for pattern in (f"{BUILD_PREFIX}*", "*.part"):
        for left in [path for folder in folders for path in folder.glob(pattern)]:
            _remove(left)


def publish_folder(built: Path, final: Path) -> None:
    """Replace ``final`` by ``built`` so that a reader sees the old or the new folder, whole, at every moment."""
    for path in sorted(built.rglob("*")):
        _flush(path)
    _flush(built)
    final.parent.mkdir(parents=True, exist_ok=True)
    if not final.exists():
        os.rename(built, final)
    elif not _exchange(built, final):
        old = final.with_name(OLD_PREFIX + final.name)
        _remove(old)
        os.rename(final, old)
        os.rename(built, final)
        _remove(old)
    _flush(final.parent)
    _remove(built)


def publish_text(path: Path, text: str) -> None:
    """Replace a file by ``text`` in one step; half a character (a lone surrogate) is written as its escape."""
    part = path.with_name(path.name + ".part")
    part.write_text(text, encoding="utf-8", errors="backslashreplace", newline="\n")
    _flush(part)
    os.replace(part, path)
    _flush(path.parent)


def publish_json(path: Path, document: Any) -> None:
    """Replace a file by a JSON document in one step."""
    publish_text(path, json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False) + "\n")


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object; empty when the file is missing or damaged."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return document if isinstance(document, dict) else {}


def withdraw(path: Path) -> None:
    """Remove a published folder in one step."""
    if path.exists():
        old = path.with_name(f"{BUILD_PREFIX}withdrawn-{path.name}")
        _remove(old)
        os.rename(path, old)
        _remove(old)


def _exchange(one: Path, other: Path) -> bool:
    """Swap two folders in one step; False where the system cannot."""
    if not sys.platform.startswith("linux"):
        return False
    try:
        rename = ctypes.CDLL(None, use_errno=True).renameat2
    except (OSError, AttributeError):
        return False
    if rename(_AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other), _RENAME_EXCHANGE) == 0:
        return True
    code = ctypes.get_errno()
    if code in {errno.EINVAL, errno.ENOSYS, errno.EXDEV, errno.EPERM, errno.ENOTSUP}:
        return False
    raise OSError(code, os.strerror(code), str(other))


def _flush(path: Path) -> None:
    if sys.platform == "win32":
        return
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
