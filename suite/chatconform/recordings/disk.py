"""What is written to disk: files whole or not at all, and folders that one process at a time may write to."""

from __future__ import annotations

import errno
import fcntl
import os
import secrets
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from itertools import count
from pathlib import Path

from chatconform.model import InputError, Place

_PART = ".part"
"""How the name of a file ends that is not whole yet."""
_LOCK = ".lock"
_PRIVATE, _PUBLIC = 0o600, 0o666
"""For the owner alone, and for whomever the umask lets."""
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def write_whole(target: Path, data: bytes) -> None:
    """Replace a file whole and on the disk: a reader sees the old bytes or the new. Raises `InputError` if it fails."""
    _make(target.parent, target)
    _replace({target: data}, _PUBLIC)


def write_private(files: Mapping[Path, bytes]) -> None:
    """Replace files of folders that are there, whole, readable by their owner alone (mode 0600).

    Where one cannot be written none is replaced. Raises `InputError`.
    """
    _replace(files, _PRIVATE)


def make(folder: Path) -> None:
    """Make a folder and those above it, where they are not there. Raises `InputError`."""
    _make(folder, folder)


def add(target: Path, data: bytes) -> None:
    """Add to the end of a file in one piece, from a new line on; the file is made if need be. Raises `InputError`."""
    _make(target.parent, target)
    try:
        with target.open("ab+") as file:
            if file.tell():
                file.seek(-1, os.SEEK_END)
                data = data if file.read() == b"\n" else b"\n" + data
            file.write(data)
    except OSError as error:
        raise _unwritable(target, error) from None


def require_writable(target: Path) -> None:
    """Raise `InputError` where a file, or one in a folder of this name, cannot be written; nothing is made."""
    above = next(path for path in (target, *target.absolute().parents) if path.exists())
    if above != target and not above.is_dir():
        raise _unwritable(target, NotADirectoryError(errno.ENOTDIR, os.strerror(errno.ENOTDIR)))
    folder = above if above.is_dir() else above.absolute().parent
    if not os.access(folder, os.W_OK | os.X_OK):
        raise _unwritable(target, PermissionError(errno.EACCES, os.strerror(errno.EACCES)))


@contextmanager
def held(folder: Path) -> Iterator[Path]:
    """Hold a folder, made if need be, against every other process, and clear what a killed one left half written.

    The lock is the kernel's and ends with the process, however that ends. Raises `InputError` where another
    process holds the folder, or it cannot be written to.
    """
    is_new = not folder.exists()
    make(folder)
    try:
        lock = _locked(folder / _LOCK)
    except BlockingIOError:
        remedy = "Wait until that one has ended, or choose another folder."
        raise InputError(Place(str(folder)), "another run is writing to this folder", remedy) from None
    except OSError as error:
        raise _unwritable(folder, error) from None
    try:
        for part in folder.glob(f".*{_PART}"):
            part.unlink(missing_ok=True)
        yield folder
    finally:
        with suppress(OSError):
            (folder / _LOCK).unlink()
        os.close(lock)
        if is_new:
            _drop_empty(folder)


@contextmanager
def begun(home: Path, name: str) -> Iterator[Path]:
    """Hold a new folder; where the name is taken, one with a number behind it. Left empty, it is gone afterwards.

    Raises `InputError` where it cannot be made.
    """
    make(home)
    folder = next(folder for number in count(1) if _is_made(folder := home / _numbered(name, number)))
    try:
        with held(folder):
            yield folder
    finally:
        _drop_empty(folder)


def _numbered(name: str, number: int) -> str:
    return name if number == 1 else f"{name}-{number}"


def _is_made(folder: Path) -> bool:
    """Make a folder; return whether nobody else has."""
    try:
        folder.mkdir()
    except FileExistsError:
        return False
    except OSError as error:
        raise _unwritable(folder, error) from None
    return True


def _drop_empty(folder: Path) -> None:
    with suppress(OSError):
        folder.rmdir()


def _locked(file: Path) -> int:
    """Return the descriptor of a locked file. Raises `BlockingIOError` where another process has it locked."""
    while True:
        lock = os.open(file, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, _PRIVATE)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if _bears_its_name(file, lock):
                return lock
        except BaseException:
            os.close(lock)
            raise
        os.close(lock)


def _bears_its_name(file: Path, lock: int) -> bool:
    """Whether a file is the one that was opened: who had it locked before may have removed it since."""
    try:
        return os.path.samestat(file.stat(follow_symlinks=False), os.fstat(lock))
    except FileNotFoundError:
        return False


def _make(folder: Path, place: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _unwritable(place, error) from None


def _replace(files: Mapping[Path, bytes], mode: int) -> None:
    """Write every file beside its target, and when all are on the disk rename them."""
    parts: dict[Path, Path] = {}
    target = Path()
    try:
        try:
            for target, data in files.items():
                parts[target] = target.parent / f".{target.name[:32]}.{secrets.token_hex(4)}{_PART}"
                _stage(parts[target], data, mode)
                _refuse_folder(target)
            for target, part in parts.items():
                part.replace(target)
        except BaseException:
            for part in parts.values():
                part.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise _unwritable(target, error) from None


def _stage(part: Path, data: bytes, mode: int) -> None:
    with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _refuse_folder(target: Path) -> None:
    if target.is_dir():
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))


def _unwritable(path: Path, error: OSError) -> InputError:
    remedy = "make room on the disk" if error.errno in _FULL else "choose a folder that can be written to"
    return InputError(Place(str(path)), f"cannot be written: {error.strerror}", remedy)
