"""The reader's language: texts by gettext catalogue, numbers and dates by Babel.

A further language is one more folder under `locale/`; nothing else needs to change. What the agency
has no words for in that language is shown in the agency's first language, and marked as such.
"""

from __future__ import annotations

import io
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from functools import cache
from gettext import GNUTranslations
from pathlib import Path
from typing import Any

from babel import Locale, localedata
from babel.dates import format_date, format_skeleton, get_day_names
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.numbers import format_decimal, format_percent

LOCALE = Path(__file__).parents[1] / "locale"
DEFAULT = "en"
"""The language that messages are written in."""
OWN_NAME = re.compile(r'^"X-Language-Name: *(.+?)\\n"$', re.MULTILINE)
"""In a catalogue's head: the language's own name, where Babel does not know the language."""
LABELS = "label"
"""Context, in a catalogue, of the labels of the program's own code lists."""


def _path(folder: Path, code: str) -> Path:
    return folder / code / "LC_MESSAGES" / "dashboard.po"


def languages(folder: Path) -> dict[str, str]:
    """Code -> the language's own name: English, and one for each catalogue in `folder`."""
    found = sorted(path.parent.parent.name for path in folder.glob("*/LC_MESSAGES/dashboard.po"))
    names = {code: _own_name(code, _path(folder, code)) for code in (DEFAULT, *found)}
    return {code: name[:1].upper() + name[1:] for code, name in names.items()}


def _own_name(code: str, path: Path) -> str:
    if localedata.exists(code):
        return str(Locale.parse(code).get_display_name(code))
    named = OWN_NAME.search(path.read_text(encoding="utf-8"))
    return named[1] if named else code


LANGUAGES = languages(LOCALE)
_current = threading.local()


@cache
def _messages(language: str) -> Catalog | None:
    """The catalogue as written, without what is untranslated or doubtful; None for English."""
    path = _path(LOCALE, language)
    if not path.exists():
        return None
    with path.open("rb") as handle:
        found = read_po(handle, locale=language if localedata.exists(language) else None)
    for message in list(found):
        if message.id and (message.fuzzy or not all(_forms(message.string or ""))):
            found.delete(message.id, message.context)
    return found


@cache
def catalogue(language: str) -> dict[str, str]:
    """Message -> translation; empty for English, which is the source. Of a message with plural
    forms, the first and the last form."""
    found: dict[str, str] = {}
    for m in _messages(language) or ():
        if m.id and not m.context:
            ids, texts = _forms(m.id), _forms(m.string or "")
            found |= {ids[0]: texts[0], ids[-1]: texts[-1]}
    return found


def _forms(text: Any) -> tuple[str, ...]:
    """A message, or its plural forms, as a tuple."""
    return (text,) if isinstance(text, str) else tuple(text)


@cache
def _translations(language: str) -> GNUTranslations | None:
    messages = _messages(language)
    if messages is None:
        return None
    compiled = io.BytesIO()
    write_mo(compiled, messages)
    compiled.seek(0)
    return GNUTranslations(compiled)


def forget() -> None:
    """Read the catalogues again when they are next asked for."""
    for kept in (_messages, catalogue, _translations):
        kept.cache_clear()


def use(language: str) -> None:
    """Choose the language of this run of the script (Streamlit runs each visitor in a thread)."""
    _current.code = language if language in LANGUAGES else DEFAULT


def current() -> str:
    return getattr(_current, "code", DEFAULT)


@contextmanager
def speaking(code: str) -> Iterator[None]:
    """Within it, this thread speaks the language `code`."""
    before = current()
    use(code)
    try:
        yield
    finally:
        use(before)


def spoken() -> GNUTranslations | None:
    """The catalogue of this thread's language, another object for each language and each reading
    of its file: what is kept in words is kept by it. None for English."""
    return _translations(current())


def _(message: str) -> str:
    spoken = _translations(current())
    return spoken.gettext(message) if spoken else message


def ngettext(one: str, many: str, count: int) -> str:
    """The message for `count` things, in the plural form that the language has for this number."""
    spoken = _translations(current())
    if spoken:
        return spoken.ngettext(one, many, count)
    return one if count == 1 else many


def tag(code: str) -> str:
    """A language as HTML and other formats name it (BCP 47): `zh_Hans` -> `zh-Hans`."""
    return code.replace("_", "-")


@cache
def direction(code: str) -> str:
    """'rtl' for a language that is written from right to left, else 'ltr'."""
    known = localedata.exists(code) and Locale.parse(code).character_order == "right-to-left"
    return "rtl" if known else "ltr"


def of_page() -> str:
    """The attributes of a page's first element: its language, and its direction where that is not
    from left to right."""
    code = current()
    turned = ' dir="rtl"' if direction(code) == "rtl" else ""
    return f'lang="{tag(code)}"{turned}'


# Text of another language within the reader's own travels through sentences, labels and tables as
# text: set apart from what stands around it (Unicode's isolates, which also keep the order of words
# where one of the two runs from right to left), its language in letters that nobody sees (tags).
_TAGS = {ord(letter): 0xE0000 + ord(letter) for letter in "abcdefghijklmnopqrstuvwxyz0123456789-"}
_MARKED = re.compile("\u2068([\U000e002d-\U000e007a]+)(.*?)\u2069", re.DOTALL)


def foreign(words: str, code: str) -> str:
    """`words` as a text in the language `code` among others; as they are where they have no
    letters."""
    if not any(letter.isalpha() for letter in words):
        return words
    return f"\u2068{tag(code).lower().translate(_TAGS)}{words}\u2069"


def in_english(words: str) -> str:
    """A text that there is in English alone, such as the title of a study."""
    return words if current() == DEFAULT else foreign(words, DEFAULT)


def unmarked(words: str) -> str:
    """The words alone, for what has no place for a language."""
    return _MARKED.sub(r"\2", words) if "\u2068" in words else words


def replace_marked(words: str, by: Callable[[str, str], str]) -> str:
    """`words` with each marked text given through `by(language, text)`."""

    def tell(found: re.Match[str]) -> str:
        return by("".join(chr(ord(letter) - 0xE0000) for letter in found[1]), found[2])

    return _MARKED.sub(tell, words) if "\u2068" in words else words


def unbroken(words: str) -> str:
    """Times of day that no line break takes apart: '3 a. m.'."""
    return re.sub(r"(?<=\d) (?=[ap]\. ?m)|(?<=\b[ap]\.) (?=m)", "\u00a0", words)


def without_stop(words: str) -> str:
    """A sentence without its full stop, to go on within another."""
    if words.endswith("\u2069"):
        return words[:-1].rstrip(".") + "\u2069"
    return words.rstrip(".")


def first(texts: Mapping[str, str]) -> str:
    """A text of the release in the first language that it has, which the release counts as its
    own."""
    return next(iter(texts.values()), "")


class Moment(dict[str, str]):
    """Language -> label of a period, a day of the week or an hour. In a language that the release
    has no label in, it is written as that language writes times.

    `level`, `code`: as in the release's code list.
    """

    def __init__(self, texts: Mapping[str, str], level: str, code: str) -> None:
        super().__init__(texts)
        self.level, self.code = level, code

    def written(self) -> str:
        """In the language of the moment; nothing where nothing is known of it, or it is no time
        that has words of its own, such as the whole period or a time not recorded."""
        form, known = _TIMES.get(self.level), _formats(current())
        if form is None or not (found := form.fullmatch(self.code)):
            return ""
        match self.level:
            case "quarter" if known:
                start = date(int(found[1]), 3 * int(found[2]) - 2, 1)
                return str(format_skeleton("yQQQ", start, locale=known))
            case "month":
                return month_in_words(self.code)
            case "fiscal_year":
                return _("Fiscal year {year} ({first} to {last})").format(
                    year=found[2][:4], first=month_in_words(found[1]), last=month_in_words(found[2])
                )
            case "day":
                names = get_day_names("wide", "stand-alone", locale=known) if known else {}
                return str(names.get(int(self.code) - 1, ""))
            case "hour" | "block":
                return _("{first} to {last}").format(
                    first=clock(int(found[1])), last=clock((int(found[found.re.groups]) + 1) % 24)
                )
        return self.code


_MONTH, _HOUR = r"([0-9]{4}-(?:0[1-9]|1[0-2]))", r"([01][0-9]|2[0-3])"
_TIMES = {
    "year": re.compile(r"[0-9]{4}"),
    "quarter": re.compile(r"([0-9]{4})-Q([1-4])"),
    "month": re.compile(_MONTH),
    "fiscal_year": re.compile(f"{_MONTH}_{_MONTH}"),
    "day": re.compile(r"[1-7]"),
    "hour": re.compile(_HOUR),
    "block": re.compile(f"{_HOUR}-{_HOUR}"),
}
"""Level -> how the codes of times are written."""


def pick(texts: Mapping[str, str]) -> str:
    """A text of the release in the reader's language; else a label that the catalogue knows; else
    in the first language that the release has it in, marked."""
    if own := texts.get(current()):
        return own
    if isinstance(texts, Moment) and (written := texts.written()):
        return written
    spoken, given = _translations(current()), texts.get(DEFAULT)
    if spoken and given and (known := spoken.pgettext(LABELS, given)) != given:
        return known
    return next((foreign(text, code) for code, text in texts.items() if text), "")


@cache
def _formats(language: str) -> str:
    """The locale whose numbers and dates a reader knows: of the language in the United States, or
    of the language alone where Babel has no such locale, or none where it does not know it."""
    return next(filter(localedata.exists, (f"{language}_US", language)), "")


def _locale() -> str:
    """For numbers: where nothing is known of the language, as the United States write them."""
    return _formats(current()) or _formats(DEFAULT)


def text(row: Mapping[str, str], field: str) -> str:
    """A text of a row about the program in the reader's language (`field`, or `field` with the
    language behind it); else the one that each row has, marked where it is another language's."""
    return row.get(f"{field}_{current()}") or in_english(row[field])


def number(value: float) -> str:
    return str(format_decimal(value, locale=_locale()))


def number_marks() -> dict[str, Any]:
    """What a chart needs to write the numbers of its axes as `number` does: nothing where they are
    as in the United States, which is how charts write them anyway."""
    signs = Locale.parse(_locale()).number_symbols["latn"]
    if (signs["decimal"], signs["group"]) == (".", ","):
        return {}
    form = {"decimal": signs["decimal"], "thousands": signs["group"], "grouping": [3]}
    return {"locale": {"number": form | {"currency": ["$", ""]}}}


AS_NOTHING = 1e-9
"""A difference smaller than this comes from the machine's own rounding."""
MAX_PLACES = 10


def _round(value: float, places: int, edges: tuple[float, ...]) -> float:
    """`value` rounded; to more places where it would fall on one of the `edges` without being
    it."""
    while places < MAX_PLACES and any(
        round(value, places) == edge and abs(value - edge) > AS_NOTHING for edge in edges
    ):
        places += 1
    return round(value, places) + 0.0  # -0.0 becomes 0.0


def percent(share: float, places: int = 2) -> str:
    """A share from 0 to 1 in whole per cent. '0%' means none and '100%' means all: what is only
    near them keeps the decimals that say so.

    `places`: decimals of the share that are kept, where they are there; more than 2 for what
    somebody laid down, such as a target of 12.5 %.
    """
    return str(
        format_percent(_round(share, places, (0, 1)), locale=_locale(), decimal_quantization=False)
    )


def rounded(value: float, places: int = 1) -> str:
    """A number with at most `places` decimals. '0' means exactly none: what is only near it keeps
    the decimals that say so."""
    return str(
        format_decimal(_round(value, places, (0,)), locale=_locale(), decimal_quantization=False)
    )


FAR = 0.15
"""'n in d' must be nearer to a share than this part of it (or of the rest, where that is
smaller)."""


def about(share: float) -> str:
    """A share as one of few: 0.19 -> 'about 1 in 5'; empty near none and near all, and where no
    such words come close (0.06).

    Few people think in sevenths: past halves, thirds and quarters, only '1 in', 'all but 1 in',
    fifths and tenths.
    """
    if not 0.05 <= share <= 0.95:
        return ""
    best = min(
        ((n, d) for d in range(2, 11) for n in range(1, d) if n in (1, d - 1) or d in (5, 10)),
        key=lambda f: (round(abs(share - f[0] / f[1]), 2), f[1]),
    )
    if abs(share - best[0] / best[1]) > FAR * min(share, 1 - share):
        return ""
    return _("about {n} in {d}").format(n=best[0], d=best[1])


# Dates of a language whose months nobody here knows are in figures alone (ISO 8601).


def day(value: date) -> str:
    known = _formats(current())
    return str(format_date(value, format="long", locale=known)) if known else value.isoformat()


def month_in_words(code: str) -> str:
    """A month for a sentence: '2024-01' -> 'January 2024'."""
    known = _formats(current())
    if not known:
        return code
    return str(format_skeleton("yMMMM", date.fromisoformat(f"{code}-01"), locale=known))


def month(code: str) -> str:
    """A short month for an axis: '2024-01' -> 'Jan 24'."""
    known = _formats(current())
    if not known:
        return code
    return str(format_date(date.fromisoformat(f"{code}-01"), "MMM yy", locale=known))


def clock(hour: int) -> str:
    """A full hour for an axis, from 0 to 23: 'midnight', '7 a.m.', 'noon', '9 p.m.'."""
    if hour in (0, 12):
        return _("noon") if hour else _("midnight")
    return (_("{hour} a.m.") if hour < 12 else _("{hour} p.m.")).format(hour=hour % 12)
