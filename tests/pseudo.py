"""A language that nobody speaks, made from the messages themselves: every letter bears a sign, and
every message stands in brackets. What is left in plain letters on a page was never translated."""

from __future__ import annotations

import re
from html.parser import HTMLParser

from babel.messages.catalog import Catalog

from dashboard.text import language

PLAIN = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
SIGNED = "áƀćđéƒǵħíĵķĺḿńóṕɋŕśťúṽŵẋýźÁɃĆĐÉƑǴĦÍĴĶĹḾŃÓṔɊŔŚŤÚṼŴẊÝŹ"
_AS_IT_IS = re.compile(r"(\{[^}]*\}|\]\([^)]*\))")
"""Placeholders, and the addresses of links."""


def pseudo(message: str) -> str:
    parts = _AS_IT_IS.split(message)
    signs = str.maketrans(PLAIN, SIGNED)
    return f"⟦{''.join(p if i % 2 else p.translate(signs) for i, p in enumerate(parts))}⟧"


def translated(catalog: Catalog) -> Catalog:
    """Every message of a catalogue in pseudo; each plural form says which one it is."""
    for message in catalog:
        if not message.id:
            continue
        if message.pluralizable:
            forms = [pseudo(message.id[min(i, 1)]) for i in range(catalog.num_plurals)]
            message.string = tuple(f"{form}{i}" for i, form in enumerate(forms))
        else:
            message.string = pseudo(message.id)
        message.flags.discard("fuzzy")
    return catalog


class Words(HTMLParser):
    """Texts of a page that are in the page's own language, without what says it is in another."""

    READ = ("alt", "aria-label", "title", "content", "data-words", "data-name")
    EMPTY = ("meta", "link", "img", "br", "hr", "input", "source", "path", "rect")

    def __init__(self, html: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.read_aloud: list[str] = []
        """Texts within tags, which have no place for a language of their own."""
        self.open: list[tuple[str, bool]] = []
        self.feed(html)

    def _other(self) -> bool:
        return any(other for _tag, other in self.open)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        other = tag in ("script", "style", "code") or (tag != "html" and "lang" in named)
        if tag not in self.EMPTY:
            self.open.append((tag, other))
        if not (self._other() or other):
            kind = f"{named.get('name', '')}{named.get('property', '')}"
            skip = tag == "meta" and not kind.endswith(("description", "title", "alt"))
            self.read_aloud += [v for n, v in attrs if n in self.READ and v and not skip]

    def handle_endtag(self, tag: str) -> None:
        while self.open and self.open.pop()[0] != tag:
            pass

    def handle_data(self, data: str) -> None:
        if data.strip() and not self._other():
            whole_title = any(tag == "title" for tag, _other in self.open)
            (self.read_aloud if whole_title else self.found).append(data)


_NO_WORDS = re.compile(
    r"https?://\S+|/[\w/?=&.-]+|\b[0-9a-f]{16,64}\b|SHA-256"
    r"|[\w./-]+\.(?:md|csv|json|geojson|parquet|zip)\b"
)
"""Addresses, digests and names of files."""


def plain_words(text: str, known: list[str]) -> list[str]:
    """Words in plain letters, those of the `known` texts aside; longer texts go first."""
    for said in known:
        text = text.replace(said, " ")
    return re.findall(r"[A-Za-z]{3,}", _NO_WORDS.sub(" ", text))


def reset() -> None:
    language.forget()
    language.use(language.DEFAULT)
