"""How right a drafted agency file is: its columns, its mapped values, and wrong guesses that no
mark shows."""

from __future__ import annotations

import json
import tomllib
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from anonymize.agency import codelists
from anonymize.agency.lines import key_lines
from anonymize.draft.write import MARK
from anonymize.read.cleaning import normalise
from tests.drafts.exports import Trial, Truth

TIME_COLUMNS = ("timestamp", "date", "clock", "hour", "year", "month")


@dataclass
class Score:
    columns: Counter[bool] = field(default_factory=Counter)
    values: Counter[bool] = field(default_factory=Counter)
    unmarked: list[str] = field(default_factory=list)
    missed: list[str] = field(default_factory=list)

    def add(self, other: Score) -> None:
        self.columns += other.columns
        self.values += other.values
        self.unmarked += other.unmarked
        self.missed += other.missed


class Draft:
    """A drafted file, and whether a line of it is marked."""

    def __init__(self, text: str) -> None:
        self.data: dict[str, Any] = tomllib.loads(text)
        self.text = text.splitlines()
        self.lines = key_lines(text)

    def marked(self, *path: str) -> bool:
        line = self.lines.get(path)
        return line is not None and MARK in self.text[line - 1]

    @property
    def calls(self) -> dict[str, Any]:
        return self.data["calls"]


def _all(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else list(value or ())


def score(text: str, trial: Trial) -> Score:
    draft, truth, made = Draft(text), trial.truth, Score()
    calls = draft.calls
    columns = {name: _all(value) for name, value in calls.get("columns", {}).items()}
    areas = {
        column for name, listed in columns.items() if name.startswith("area") for column in listed
    }
    for name, column in truth.columns.items():
        right = column in areas if name.startswith("area") else column in columns.get(name, [])
        _count(
            made,
            "columns",
            right,
            f"{trial.name}: {name} = '{column}', drafted {columns.get(name)}",
        )
    for key in TIME_COLUMNS:
        if key in truth.time:
            _count(
                made,
                "columns",
                truth.time[key] in _all(calls["time"].get(key)),
                f"{trial.name}: time.{key} = {truth.time[key]}, drafted {calls['time']}",
            )
    if "count" in truth.calls:
        _count(made, "columns", calls.get("count") == truth.calls["count"], f"{trial.name}: count")
    for name in truth.where:
        _count(made, "columns", name in calls.get("where", {}), f"{trial.name}: where {name}")
    for name, meant in truth.yes_columns.items():
        for column, code in meant.items():
            there = calls.get("yes_columns", {}).get(name, {})
            _count(made, "columns", column in there, f"{trial.name}: yes column {column}")
            _count(
                made,
                "values",
                there.get(column) == code,
                f"{trial.name}: yes column {column} = {code}, drafted {there.get(column)}",
            )
            if (
                column in there
                and there[column] != code
                and not draft.marked("calls", "yes_columns", name, column)
            ):
                made.unmarked.append(f"{trial.name}: yes column {column} = {there[column]}")
    _values(made, draft, trial)
    made.unmarked += [
        f"{trial.name}: {what}" for what in _wrong_without_mark(draft, truth, columns)
    ]
    return made


def _count(made: Score, kind: str, right: bool, what: str) -> None:
    getattr(made, kind)[right] += 1
    if not right:
        made.missed.append(what)


def _values(made: Score, draft: Draft, trial: Trial) -> None:
    for name, meant in trial.truth.values.items():
        there = draft.calls.get("values", {}).get(name, {})
        folded = {normalise(text): (text, code) for text, code in there.items()}
        found: dict[str, tuple[str, str]] = {}
        for text in meant:
            found[text] = folded.get(normalise(text)) or (
                ("*", there["*"]) if "*" in there else ("", "")
            )
        right = (
            _same_groups(found, meant)
            if name in trial.truth.own
            else {text: found[text][1] == code for text, code in meant.items()}
        )
        for text, code in meant.items():
            key, drafted = found[text]
            _count(
                made,
                "values",
                right[text],
                f"{trial.name}: {name} '{text}' = {code}, drafted '{drafted}'",
            )
            if not right[text] and drafted and not draft.marked("calls", "values", name, key):
                made.unmarked.append(f"{trial.name}: {name} '{text}' = {drafted}")


def _same_groups(found: dict[str, tuple[str, str]], meant: dict[str, str]) -> dict[str, bool]:
    """Is a value together with those that mean the same, and with no other?"""
    return {
        text: (
            bool(found[text][1])
            and all(
                (found[other][1] == found[text][1]) == (meant[other] == meant[text])
                for other in meant
                if found[other][1]
            )
        )
        for text in meant
    }


def _wrong_without_mark(draft: Draft, truth: Truth, columns: dict[str, list[str]]) -> list[str]:
    wrong = []
    for name, listed in columns.items():
        if name in draft.calls.get("yes_columns", {}) or (
            name.startswith("area") and name != "area"
        ):
            continue  # a further system of areas is no wrong guess
        expected = truth.columns.get(name)
        if name == "area" and any(
            truth.columns.get("area") in columns[other]
            for other in columns
            if other.startswith("area_")
        ):
            continue
        if expected not in listed and not draft.marked("calls", "columns", name):
            wrong.append(f"{name} = {listed}")
    time = draft.calls["time"]
    for key in TIME_COLUMNS:
        if (
            key in time
            and truth.time.get(key) not in _all(time[key])
            and not draft.marked("calls", "time", key)
        ):
            wrong.append(f"time.{key} = {time[key]}")
    if _all(time.get("format")) != _all(truth.time.get("format")) and not draft.marked(
        "calls", "time", "format"
    ):
        wrong.append(f"time.format = {time.get('format')}")
    if draft.data["agency"]["timezone"] != truth.timezone and not draft.marked(
        "agency", "timezone"
    ):
        wrong.append(f"timezone = {draft.data['agency']['timezone']}")
    for name in ("count", "delimiter", "header_row", "sheet"):
        if draft.calls.get(name) != truth.calls.get(name) and not draft.marked("calls", name):
            wrong.append(f"{name} = {draft.calls.get(name)}")
    for name, kept in draft.calls.get("where", {}).items():
        if sorted(_all(kept)) != sorted(truth.where.get(name, [])) and not draft.marked(
            "calls", "where", name
        ):
            wrong.append(f"where {name} = {kept}")
    return wrong


def true_file(trial: Trial) -> str:
    """The agency file that a person who knows the export would write."""
    truth = trial.truth

    def lines(table: dict[str, Any]) -> str:
        return "".join(
            f"{json.dumps(key, ensure_ascii=False)} = {_toml(value)}\n"
            for key, value in table.items()
        )

    paths = [file.name for file in trial.files if not file.name.endswith("beats.geojson")]
    calls = {"paths": paths, "reject_limit_percent": 5, **truth.calls}
    columns = dict(truth.columns)
    if isinstance(truth.areas.get("area"), str):
        columns.pop("area", None)
    first = "2023" if {"year", "other_names"} & {*truth.time, *truth.calls} else "2024"
    text = (
        '[agency]\nid = "true"\nname = "True"\nplace = "True"\n'
        f'timezone = "{truth.timezone}"\npublisher = "x"\ncontact = "x"\n'
        'licence = { name = "x", url = "https://example.org" }\nabout = "x"\n'
        '[release]\nversion = "2025.1"\ncreated = 2025-01-31\n'
        f"data_from = {first}-01-01\ndata_to = 2024-12-31\n[calls]\n{lines(calls)}"
    )
    text += f"[calls.where]\n{lines(truth.where)}" if truth.where else ""
    text += f"[calls.time]\n{lines(truth.time)}[calls.columns]\n{lines(columns)}"
    for name, form in truth.times.items():
        written = form if isinstance(form, dict) else {"format": form}
        text += f"[calls.times.{name}]\n{lines(written)}"
    for name, meant in truth.yes_columns.items():
        text += f"[calls.yes_columns.{name}]\n{lines(meant)}"
    built_in = {name: codelists.listed(name) for name in ("outcome", "responder")}
    for name, meant in truth.values.items():
        text += f"[calls.values.{name}]\n{lines(meant)}"
        codes = [code for code in dict.fromkeys(meant.values()) if code != "unknown"]
        if name not in built_in and name != "not_served_reason":
            listed = ", ".join(
                f'{{ code = "{code}", en = "{code}", es = "{code}" }}' for code in codes
            )
            text += (
                f'[dimensions.{name}]\nname = "x"\nall = "x"\nlevels = ["{name}"]\ncodes ='
                f" [{listed}]\n"
            )
    for name, codes in truth.areas.items():
        text += f'[areas.{name}]\nname = "x"\nall = "x"\nlevels = ["beat"]\n'
        text += (
            f'boundaries = {{ path = "{codes}", code = "BEAT" }}\n'
            if isinstance(codes, str)
            else f"codes = {_toml(codes)}\n"
        )
    return text


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{json.dumps(k)} = {_toml(v)}" for k, v in value.items()) + " }"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return json.dumps(value, ensure_ascii=False)


def write_true_file(trial: Trial, folder: Path) -> Path:
    target = folder / "true.toml"
    target.write_text(true_file(trial), encoding="utf-8")
    return target
