"""A page told from memory is the page as its script writes it."""

from __future__ import annotations

import runpy
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import pandas as pd
import pytest
from streamlit.testing.v1 import AppTest

from dashboard.export import citation
from dashboard.figures.figure import Figure
from dashboard.page import page_cache
from dashboard.page.pages_list import PAGES
from dashboard.page.surface import first_choice, surface, write_on
from dashboard.release.current import all_releases
from dashboard.release.reader import Release, load_release
from dashboard.text import language
from tests.conftest import ROOT


def plainly(thing: Any) -> Any:
    """What can be compared of an argument."""
    if isinstance(thing, Figure):
        words = (
            thing.page,
            thing.title,
            thing.note,
            thing.alt,
            thing.table.to_csv(),
            thing.data.to_csv(),
        )
        return (words, thing.drawn, thing.hidden, thing.measures, dict(thing.choices))
    if isinstance(thing, pd.DataFrame):
        return thing.to_csv()
    return (
        thing.__name__
        if callable(thing) and hasattr(thing, "__name__")
        else (repr(thing) if not callable(thing) else "a file")
    )


@dataclass
class Log:
    """A surface that writes down what it is told, and gives the answers of one visitor; others are
    where they stand at first."""

    release: Release
    answers: Mapping[str, str] = field(default_factory=dict)
    choices: dict[str, str] = field(default_factory=dict)
    lines: list[tuple[Any, ...]] = field(default_factory=list)
    asked: dict[str, Mapping[str, str]] = field(default_factory=dict)

    def __getattr__(self, name: str) -> Callable[..., None]:
        if name not in page_cache.TOLD:
            raise AttributeError(name)
        return partial(self.tell, name)

    def tell(self, name: str, *given: Any) -> None:
        self.lines.append((name, *map(plainly, given)))

    def begin(self) -> None: ...

    def choose(
        self, key: str, label: str, options: Mapping[str, str], default: str | None = None
    ) -> str:
        self.lines.append(("choose", key, label, tuple(options.items()), default))
        self.asked[key] = options
        chosen = self.answers.get(key, first_choice(options, default))
        chosen = chosen if chosen in options else first_choice(options, default)
        if chosen != first_choice(options, default):
            self.choices[key] = chosen
        return chosen

    def slide(self, key: str, label: str, low: int, high: int, start: int, step: int) -> int:
        self.lines.append(("slide", key, label, low, high, start, step))
        return int(self.answers.get(key, start))

    def releases(self) -> list[Release]:
        return all_releases(self.release, load_release)

    def outside(self, page: str, filters: Mapping[str, str]) -> str:
        return citation.newest_view(self.release, page, filters)


@pytest.fixture(scope="module")
def release() -> Release:
    return load_release(ROOT / "data_public")


@pytest.fixture(autouse=True)
def nothing_kept() -> None:
    page_cache._kept.clear()
    language.use("en")


def script(name: str) -> Callable[[], object]:
    return lambda: runpy.run_path(str(ROOT / "pages" / f"{name}.py"))


def unwritten() -> None:
    surface().begin()
    raise AssertionError("the script ran on, though the page was known")


def told(
    release: Release,
    name: str,
    write: Callable[[], object],
    answers: Mapping[str, str] | None = None,
) -> Log:
    log = Log(release, answers or {})
    page_cache.show(name, log, write)  # type: ignore[arg-type]
    return log


def straight(release: Release, name: str, answers: Mapping[str, str] | None = None) -> Log:
    """The page as its script writes it, nothing kept."""
    log = Log(release, answers or {})
    write_on(log)
    try:
        script(name)()
    finally:
        write_on(None)
    return log


@pytest.mark.parametrize("name", PAGES)
def test_told_again_as_written(release, name):
    for code in ("en", "es", "en"):
        language.use(code)
        expected = straight(release, name).lines
        assert len(expected) > 4
        assert told(release, name, script(name)).lines == expected
        assert (
            told(release, name, script(name) if name == "changes" else unwritten).lines == expected
        )  # its releases are loaded anew here


@pytest.mark.parametrize(
    "name", ["calls", "outcomes", "neighborhood", "coverage", "scorecard", "claims", "money"]
)
def test_each_answer_has_its_own_page(release, name):
    """From memory up to the new answer, written from there on: as if nothing had been kept."""
    start = told(release, name, script(name))
    slides = {line[1]: [str(line[3]), str(line[4])] for line in start.lines if line[0] == "slide"}
    tried = [
        (key, code) for key, codes in (start.asked | slides).items() for code in list(codes)[:3]
    ]
    assert len(tried) > 1
    for key, code in tried:
        expected = straight(release, name, {key: code}).lines
        assert told(release, name, script(name), {key: code}).lines == expected, (key, code)
        assert told(release, name, unwritten, {key: code}).lines == expected, (key, code)
    assert (
        len({str(straight(release, name, {key: code}).lines) for key, code in tried}) > 1
    )  # answers do change the page


def test_a_page_left_half_way_is_not_kept(release):
    def write(*, whole: bool) -> None:
        surface().begin()
        surface().text("one")
        if not whole:
            raise KeyError("a visitor who went on")
        surface().text("two")

    with pytest.raises(KeyError):
        told(release, "calls", lambda: write(whole=False))
    assert not page_cache._kept
    assert [line[1] for line in told(release, "calls", lambda: write(whole=True)).lines] == [
        "'one'",
        "'two'",
    ]


def test_nothing_is_told_twice_when_the_script_runs_for_a_new_answer(release):
    ran = []

    def write() -> None:
        surface().begin()
        ran.append(1)
        surface().text("before")
        chosen: Hashable = surface().choose("area", "Area", {"a": "A", "b": "B"})
        surface().text(f"at {chosen}")

    for answers, runs in (({}, 1), ({"area": "b"}, 2), ({}, 2), ({"area": "b"}, 2)):
        log = told(release, "calls", write, answers)
        assert [line[0] for line in log.lines] == ["text", "choose", "text"]
        assert log.lines[-1] == ("text", repr(f"at {answers.get('area', 'a')}"))
        assert len(ran) == runs


def test_another_release_is_another_page(release):
    other = load_release(ROOT / "data_public")
    told(release, "calls", lambda: surface().text("old"))
    assert told(other, "calls", lambda: surface().text("new")).lines == [("text", "'new'")]
    assert told(release, "calls", unwritten).lines == [("text", "'old'")]


def test_what_is_kept_is_bounded(release):
    for number in range(page_cache.MAX_PASSAGES + 50):
        told(release, f"page {number}", lambda: surface().text("x"))
    assert len(page_cache._kept) == page_cache.MAX_PASSAGES
    told(release, f"page {number}", unwritten)  # the last one is still there


def test_a_widget_is_the_same_one_when_its_page_is_told_again(monkeypatch):
    """Streamlit finds a pressed button by its id, which holds the script that runs: told from
    elsewhere, the press would be lost."""
    monkeypatch.setenv("RELEASE_DIR", str(ROOT / "data_public"))
    app = (
        AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=60)
        .run()
        .switch_page("pages/calls.py")
        .run()
    )
    first = [widget.proto.id for widget in (*app.selectbox, *app.button)]
    assert len(first) >= 10
    assert page_cache._kept
    assert [widget.proto.id for widget in (*app.run().selectbox, *app.button)] == first
    press = next(button for button in app.button if button.key.startswith("link-calls-"))
    assert "Link to exactly this view" in "".join(
        text.value for text in press.click().run().markdown
    )
