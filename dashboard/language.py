"""The reader's language: texts by gettext catalogue, numbers and dates by Babel.

A further language is one more folder under `locale/`; nothing else needs to change.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from datetime import date
from functools import cache
from pathlib import Path

from babel import Locale, localedata
from babel.dates import format_date, format_skeleton
from babel.messages.pofile import read_po
from babel.numbers import format_decimal, format_percent

LOCALE = Path(__file__).parent / "locale"
DEFAULT = "en"


def languages(folder: Path) -> dict[str, str]:
    """Code -> the language's own name: English, and one for each catalogue in `folder`."""
    found = sorted(path.parent.parent.name for path in folder.glob("*/LC_MESSAGES/dashboard.po"))
    names = {code: str(Locale.parse(code).get_display_name(code)) for code in (DEFAULT, *found)}
    return {code: name[:1].upper() + name[1:] for code, name in names.items()}


LANGUAGES = languages(LOCALE)
_current = threading.local()


@cache
def catalogue(language: str) -> dict[str, str]:
    """Message -> translation; empty for English, which is the source."""
    path = LOCALE / language / "LC_MESSAGES" / "dashboard.po"
    if not path.exists():
        return {}
    with path.open("rb") as handle:
        found = read_po(handle, locale=language)
    return {str(m.id): str(m.string) for m in found if m.id and m.string and not m.fuzzy}


def use(language: str) -> None:
    """Choose the language of this run of the script (Streamlit runs each visitor in a thread)."""
    _current.code = language if language in LANGUAGES else DEFAULT


def current() -> str:
    return getattr(_current, "code", DEFAULT)


def _(message: str) -> str:
    return catalogue(current()).get(message, message)


def pick(texts: Mapping[str, str]) -> str:
    """A text of the release in the reader's language."""
    return texts.get(current()) or texts["en"]


@cache
def _formats(language: str) -> str:
    """The locale whose numbers and dates a reader knows: of the language in the United States, or of the language alone where Babel has no such locale."""
    local = f"{language}_US"
    return local if localedata.exists(local) else language


def _locale() -> str:
    return _formats(current())


def text(row: Mapping[str, str], field: str) -> str:
    """A text of a row about the program in the reader's language (`field`, or `field` with the language behind it)."""
    return row.get(f"{field}_{current()}") or row[field]


def number(value: float) -> str:
    return str(format_decimal(value, locale=_locale()))


AS_NOTHING = 1e-9
"""A difference smaller than this comes from the machine's own rounding."""
MOST_PLACES = 10


def _round(value: float, places: int, edges: tuple[float, ...]) -> float:
    """`value` rounded; to more places where it would fall on one of the `edges` without being it."""
    while places < MOST_PLACES and any(round(value, places) == edge and abs(value - edge) > AS_NOTHING for edge in edges):
        places += 1
    return round(value, places) + 0.0  # -0.0 becomes 0.0


def percent(share: float, places: int = 2) -> str:
    """A share from 0 to 1 in whole per cent. '0%' means none and '100%' means all: what is only near them keeps the decimals that say so.

    `places`: decimals of the share that are kept, where they are there; more than 2 for what somebody laid down, such as a target of 12.5 %.
    """
    return str(format_percent(_round(share, places, (0, 1)), locale=_locale(), decimal_quantization=False))


def rounded(value: float, places: int = 1) -> str:
    """A number with at most `places` decimals. '0' means nought: what is only near it keeps the decimals that say so."""
    return str(format_decimal(_round(value, places, (0,)), locale=_locale(), decimal_quantization=False))


FAR = 0.15
"""'n in d' must be nearer to a share than this part of it (or of the rest, where that is smaller)."""


def about(share: float) -> str:
    """A share as one of few: 0.19 -> 'about 1 in 5'; empty near none and near all, and where no such words come close (0.06).

    Few people think in sevenths: past halves, thirds and quarters, only '1 in', 'all but 1 in', fifths and tenths.
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


def day(value: date) -> str:
    return str(format_date(value, format="long", locale=_locale()))


def month_in_words(code: str) -> str:
    """A month for a sentence: '2024-01' -> 'January 2024'."""
    return str(format_skeleton("yMMMM", date.fromisoformat(f"{code}-01"), locale=_locale()))


def month(code: str) -> str:
    """A short month for an axis: '2024-01' -> 'Jan 24'."""
    return str(format_date(date.fromisoformat(f"{code}-01"), "MMM yy", locale=_locale()))
