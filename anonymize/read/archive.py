"""Files in a zip archive, unpacked into the private folder."""

from __future__ import annotations

import shutil
import zipfile
import zlib
from collections.abc import Sequence
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath
from uuid import uuid4

from anonymize.errors import SourceError


def unpack(path: Path, wanted: Sequence[str], endings: Sequence[str], folder: Path) -> list[Path]:
    """The files of an archive that match `wanted` (names or patterns), in the archive's order;
    without any, its only file with one of `endings`.

    Raises SourceError for what is no archive, is locked by a password or broken, and where nothing
    says which of several files is meant.
    """
    target = folder / uuid4().hex / path.name
    try:
        with zipfile.ZipFile(path) as archive:
            names = [
                name
                for name in archive.namelist()
                if not name.endswith("/") and "__MACOSX" not in name
            ]
            chosen = _chosen(path, names, wanted, endings)
            found = []
            for number, name in enumerate(chosen):
                # Two files of one name may lie in two folders of the archive.
                place = target / str(number) if len(chosen) > 1 else target
                place.mkdir(parents=True, exist_ok=True, mode=0o700)
                with (
                    archive.open(name) as packed,
                    (place / PurePosixPath(name).name).open("wb") as out,
                ):
                    shutil.copyfileobj(packed, out, 1 << 20)
                found.append(place / PurePosixPath(name).name)
    except RuntimeError:
        raise SourceError(
            [f"{path}: the archive is locked by a password; unpack it, and name the file"]
        ) from None
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError):
        raise SourceError(
            [f"{path}: cannot be read as a zip archive; is it whole? Unpack it, and name the file"]
        ) from None
    return found


def _chosen(
    path: Path, names: Sequence[str], wanted: Sequence[str], endings: Sequence[str]
) -> list[str]:
    if wanted:
        missing = [one for one in wanted if not any(_is(name, one) for name in names)]
        if missing:
            raise SourceError(
                [f"{path}: holds no file '{missing[0]}'; its files are: {', '.join(names)}"]
            )
        return [name for name in names if any(_is(name, one) for one in wanted)]
    readable = [name for name in names if name.lower().endswith(tuple(endings))]
    if len(readable) == 1:
        return readable
    if not readable:
        raise SourceError(
            [f"{path}: holds no file that can be read; its files are: {', '.join(names) or 'none'}"]
        )
    raise SourceError(
        [
            f'{path}: holds {len(readable)} files; write member = "{readable[0]}", or member = "*"'
            f" for all of: {', '.join(readable)}"
        ]
    )


def _is(name: str, wanted: str) -> bool:
    return fnmatchcase(name, wanted) or fnmatchcase(PurePosixPath(name).name, wanted)
