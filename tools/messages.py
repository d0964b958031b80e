"""Catalogues of messages, kept up to date with the sources.

    python -m tools.messages              every catalogue: new messages in, those of no use out
    python -m tools.messages --add vi     first, an empty catalogue for a further language
    python -m tools.messages --check      change nothing; fail where something would change

Messages are what the app says (`_` and `ngettext` in `dashboard/` and `pages/`, and the texts of
their TOML files) and, for languages that the program's own code lists have no labels in, those
labels. Translations, comments and the order of a catalogue stay as they are; what is new goes to
its end, without a translation.
"""

from __future__ import annotations

import argparse
import io
import sys
import tomllib
from collections.abc import Iterator
from datetime import date
from functools import cache
from pathlib import Path
from typing import IO, Any

from babel import localedata
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from anonymize.agency.codelists import built_in
from anonymize.agency.schema import Text, TimeSpec
from anonymize.records.program_inputs import INPUTS
from dashboard.text.language import LABELS, LOCALE

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ("dashboard", "pages")
LABELLED = frozenset(Text.model_fields)
"""Languages that the program's own code lists have labels in."""
Texts = str | tuple[str, ...]
"""A message, or its forms for one and for many."""
SAID_IN_FILES = ("said", "research", "sentences")
"""Keys of texts in the TOML files of the sources."""
SAID_BY_THE_CODE = ("year", "quarter", "month", "fiscal_year", "day", "hour", "block")
"""Levels of time, which each language writes in its own way (`dashboard.text.language.Moment`)."""


Said = tuple[int, str, str, list[str]]
"""As Babel wants a message: line, function, text, comments."""


def _of_toml(file: IO[bytes], *_ignored: object, **_options: object) -> Iterator[Said]:
    """The texts of a file that people edit: those under the keys of SAID_IN_FILES."""

    def texts(value: Any, key: str) -> Iterator[str]:
        if isinstance(value, dict):
            for name, inner in value.items():
                yield from texts(inner, key if key in SAID_IN_FILES else name)
        elif isinstance(value, list):
            for inner in value:
                yield from texts(inner, key)
        elif key in SAID_IN_FILES:
            yield value

    for text in texts(tomllib.loads(file.read().decode()), ""):
        yield 0, "_", text, []


METHODS = [("**.py", "python"), ("**.toml", _of_toml)]


@cache
def _sources() -> tuple[Texts, ...]:
    """All messages of the sources."""
    return tuple(
        message if isinstance(message, str) else tuple(message)
        for folder in SOURCES
        for _file, _line, message, _comments, _context in extract_from_dir(
            str(ROOT / folder), METHODS
        )
    )


def _labels() -> Iterator[Message]:
    """Of the built-in code lists and of the tables about the program, in English."""
    lists = built_in(TimeSpec(timestamp=("time",)), date(2025, 1, 1), date(2025, 1, 1))
    texts = [put.title for put in INPUTS.values()]
    for listed in lists.values():
        texts.append(listed.name)
        texts += [node.label for node in listed.nodes if node.level not in SAID_BY_THE_CODE]
    for text in texts:
        yield Message(text.en, "", context=LABELS)


def wanted(code: str) -> dict[tuple[Texts, str | None], Message]:
    """All messages that a catalogue of the language `code` must have, each once, sorted."""
    found = [Message(ids) for ids in _sources()]
    found += [*(() if code in LABELLED else _labels())]
    found.sort(key=lambda m: (m.context or "", _forms(m.id)))
    return {(m.id, m.context): m for m in found}


def path_of(code: str) -> Path:
    return LOCALE / code / "LC_MESSAGES" / "dashboard.po"


def updated(code: str, text: bytes) -> bytes:
    """A catalogue with the messages that the sources have now. A message that gained or lost its
    plural form keeps its translation for the form that it had, and is marked as doubtful."""
    known = localedata.exists(code)
    old = read_po(io.BytesIO(text), locale=code if known else None)
    due = wanted(code)
    forms = {(form, context): (ids, context) for ids, context in due for form in _forms(ids)}
    new = Catalog(locale=code if known else None, header_comment=old.header_comment)
    new.mime_headers, new.fuzzy = old.mime_headers, old.fuzzy
    for message in old:
        key = next(
            (found for form in _forms(message.id) if (found := forms.get((form, message.context)))),
            None,
        )
        if not message.id or key not in due:
            continue
        if key != (message.id, message.context):
            said = _forms(message.string)[-1]
            put = said if isinstance(key[0], str) else (said,) * new.num_plurals
            message = Message(key[0], put, flags={"fuzzy"}, context=key[1])
        _put(new, message)
        del due[key]
    for message in due.values():
        empty = "" if isinstance(message.id, str) else ("",) * new.num_plurals
        _put(new, Message(message.id, empty, context=message.context))
    written = io.BytesIO()
    write_po(written, new, width=0)
    own = [line for line in text.splitlines() if line.startswith(b'"X-')]
    return _with_head(written.getvalue(), own)


def _forms(ids: Texts) -> tuple[str, ...]:
    return (ids,) if isinstance(ids, str) else tuple(ids)


def _put(catalog: Catalog, message: Message) -> None:
    catalog.add(
        message.id,
        message.string,
        flags=message.flags,
        auto_comments=message.auto_comments,
        user_comments=message.user_comments,
        context=message.context,
    )


def _with_head(text: bytes, own: list[bytes]) -> bytes:
    """With the lines of the head that Babel does not keep, and one line break at the end."""
    end = b'"Generated-By: '
    if own:
        text = text.replace(end, b"\n".join(own) + b"\n" + end, 1)
    return text.rstrip(b"\n") + b"\n"


def empty(code: str) -> bytes:
    """A catalogue without messages."""
    written = io.BytesIO()
    known = localedata.exists(code)
    catalog = Catalog(
        locale=code if known else None,
        project="Co-response dashboard",
        fuzzy=False,
        charset="utf-8",
    )
    write_po(written, catalog, width=0)
    own = [] if known else [f'"X-Language-Name: {code}\\n"'.encode()]
    return _with_head(written.getvalue(), own)


def _messages(text: bytes) -> set[tuple[Texts, str | None]]:
    return {(m.id, m.context) for m in read_po(io.BytesIO(text)) if m.id}


def untranslated(text: bytes) -> int:
    """How many messages of a catalogue have no translation, or a doubtful one."""
    return sum(
        bool(m.id) and (m.fuzzy or not all(_forms(m.string))) for m in read_po(io.BytesIO(text))
    )


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="tools.messages", description=__doc__)
    parser.add_argument("--add", metavar="CODE", help="begin a catalogue for a language")
    parser.add_argument("--check", action="store_true", help="change nothing; fail where it would")
    asked = parser.parse_args(arguments)
    if asked.add:
        if path_of(asked.add).exists():
            parser.error(f"{path_of(asked.add)} is there already")
        path_of(asked.add).parent.mkdir(parents=True, exist_ok=True)
        path_of(asked.add).write_bytes(empty(asked.add))
    late = []
    for path in sorted(LOCALE.glob("*/LC_MESSAGES/dashboard.po")):
        code, before = path.parent.parent.name, path.read_bytes()
        after = updated(code, before)
        if asked.check and _messages(after) != _messages(before):
            late.append(f"{path}: not up to date with the sources; run `make messages`")
        elif not asked.check:
            path.write_bytes(after)
        print(f"{path}: {untranslated(after)} messages to translate")
    print("\n".join(late), end="\n" if late else "")
    return 1 if late else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
