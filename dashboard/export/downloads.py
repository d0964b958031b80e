"""Files that a reader takes away: the rows on the screen, the picture, and both with all that is
needed to defend them."""

from __future__ import annotations

import hashlib
import io
import json
import re
import zipfile
from collections.abc import Callable, Mapping
from datetime import date

import pandas as pd

from dashboard.export import chart_image, citation
from dashboard.figures.figure import STATUS_COLUMNS, Figure, slug
from dashboard.numbers.measures import VERSION, measures, own_rules
from dashboard.page.standard_texts import made_up
from dashboard.release.reader import Release
from dashboard.text import language
from dashboard.text.language import _, day, ngettext, number, pick, unmarked

_FORMULA = re.compile(
    r"""[\s\x00-\x1f\u200b-\u200f\u2060\ufeff"'`´‘’“”«»＂＇]*[=+\-@＝＋－＠﹦﹢﹣﹫\t\r\n]"""
)
"""The beginning of a text that a spreadsheet may run: a sign, in one of its widths, or a tab or
line break, perhaps behind blanks and quotes."""
_NUMBER = re.compile(r"-[0-9]+(\.[0-9]+)?([eE][+-]?[0-9]+)?")


def harmless(value: object) -> object:
    """A text that a spreadsheet may run as a formula gets an apostrophe in front. Numbers stay,
    negative ones too, also when they come as text."""
    runs = isinstance(value, str) and _FORMULA.match(value) and not _NUMBER.fullmatch(value)
    return f"'{value}" if runs else value


def csv_bytes(frame: pd.DataFrame) -> bytes:
    """Rows for a spreadsheet: UTF-8 with its mark, so that Excel shows accents, and no text that
    would run as a formula.

    Counts that are withheld or were not collected are empty, their status says which. The release's
    own files (`tables/` and `codelists/`) are never rewritten like this.
    """
    text: str = (
        frame.rename(columns=harmless).map(harmless).to_csv(index=False, lineterminator="\n")
    )
    return unmarked(text).encode("utf-8-sig")


def made_harmless(frame: pd.DataFrame) -> int:
    """How many texts of `frame`, names of columns included, `csv_bytes` has changed."""
    cells = [*frame.columns, *(cell for name in frame.columns for cell in frame[name])]
    return sum(harmless(cell) is not cell for cell in cells)


def file_name(*parts: str, suffix: str = "csv") -> str:
    """A name such as calls-2025-release-2026.1.csv."""
    return f"{slug(*parts)}.{suffix}"


def subtitle(release: Release) -> str:
    """Whose numbers, and which span of time they come from."""
    return _("{agency}. Data from {start} to {end}.").format(
        agency=pick(release.agency["name"]), start=day(release.data_from), end=day(release.data_to)
    )


def foot(figure: Figure, release: Release, site: str) -> list[str]:
    """The lines under a picture: what is missing, what is withheld, source, release, licence,
    link."""
    lines = []
    if release.agency["fictional"]:
        lines.append(made_up())
    if figure.missing:
        lines.append(figure.missing)
    if figure.hidden:
        lines.append(withheld_note(figure))
    lines.append(
        _("Source: {publisher}. Release {version}, data to {day}. License: {licence}.").format(
            publisher=release.package["contributors"][0]["title"],
            version=release.version,
            day=day(release.data_to),
            licence=release.package["licenses"][0]["title"],
        )
    )
    lines.append(citation.view_link(release, figure.page, figure.choices, site))
    return lines


def withheld_note(figure: Figure) -> str:
    return _(
        "Numbers withheld to protect people: {count}. A withheld number may be zero, small or"
        " large."
    ).format(count=number(figure.hidden))


def svg(figure: Figure, release: Release, site: str) -> bytes:
    """The picture with its words inside, as SVG."""
    left = max(0, len(figure.table) - chart_image.MAX_ROWS)
    more = ngettext(
        "{count} more row is in the file (CSV).", "{count} more rows are in the file (CSV).", left
    ).format(count=number(left))
    return chart_image.framed_svg(
        figure, subtitle(release), foot(figure, release, site), more
    ).encode("utf-8")


def png(figure: Figure, release: Release, site: str) -> bytes:
    return chart_image.png(svg(figure, release, site).decode("utf-8"))


def _field(name: str, column: pd.Series) -> dict[str, object]:
    if name in STATUS_COLUMNS:
        return {"name": name, "type": "string", "description": "Why a number is there or is not."}
    kind = (
        "integer"
        if pd.api.types.is_integer_dtype(column)
        else "number"
        if pd.api.types.is_float_dtype(column)
        else "string"
    )
    return {"name": name, "type": kind}


def schema(figure: Figure) -> dict[str, object]:
    """Table Schema (Frictionless) of the figure's rows."""
    return {
        "fields": [_field(str(harmless(name)), figure.data[name]) for name in figure.data.columns],
        "missingValues": [""],
    }


def csvw(figure: Figure) -> dict[str, object]:
    """CSV on the Web (W3C) metadata of the figure's rows."""
    columns = [
        {
            "titles": f["name"],
            "name": slug(str(f["name"])).replace("-", "_").replace(".", "_"),
            "datatype": f["type"],
            "null": "",
        }
        for f in schema(figure)["fields"]  # type: ignore[attr-defined]
    ]
    return {
        "@context": "http://www.w3.org/ns/csvw",
        "url": "data.csv",
        "dc:title": figure.title,
        "tableSchema": {"columns": columns},
    }


def readme(figure: Figure, release: Release, site: str, retrieved: date | None) -> str:
    """What the rows are, where they come from, what is missing, and how to cite them. Without a day
    they count as taken on the release's."""
    cited = citation.cite(
        figure, release, site, retrieved or date.fromisoformat(release.package["created"][:10])
    )
    licence = release.package["licenses"][0]
    lines = [figure.title, "=" * min(78, len(figure.title)), "", subtitle(release)]
    if release.agency["fictional"]:
        lines += ["", made_up()]
    lines += ["", _("WHAT IS COUNTED")]
    for m in measures():
        if m.name in figure.measures:
            lines.append(f"- {m.plain} ({m.name}, {VERSION}): {m.meaning()}")
    lines += [f"- {rule}" for rule in own_rules(release, figure.measures)]
    if figure.note:
        lines += ["", _("NOTE"), figure.note.replace("**", "")]
    if figure.missing:
        lines += [
            "",
            _("WHAT IS MISSING"),
            figure.missing,
            _(
                "Their column is empty where nothing was collected, and the status says"
                " 'not_collected'. That is not zero."
            ),
        ]
    lines += [
        "",
        _("WHAT IS WITHHELD"),
        withheld_note(figure) if figure.hidden else _("No number in this figure is withheld."),
    ]
    lines.append(
        _(
            "Counts from 1 to {last} are withheld, and others so that nobody can work them out."
            " Their column is empty, and the status says 'suppressed'."
        ).format(last=number(release.threshold - 1))
    )
    lines += [
        "",
        _("RELEASE"),
        _("Release {version}, data to {day}.").format(
            version=release.version, day=day(release.data_to)
        ),
    ]
    lines += [
        _("Questions: {contact}.").format(contact=release.agency["contact"]),
        f"{licence['title']} – {licence['path']}",
    ]
    lines += ["", _("HOW TO CITE"), cited.apa, "", cited.bibtex, "", _("FILES")]
    lines += [
        (
            "data.csv, data.csv-metadata.json (CSVW), datapackage.json (Data Package), chart.svg,"
            " chart.png, alt.txt, SHA256SUMS"
        ),
        "",
    ]
    lines += [
        _(
            "data.csv is safe to open in a spreadsheet. It starts with a mark that lets Excel show"
            " accents."
        ),
        _(
            "A text in it that could run as a formula has an apostrophe (') in front. Such texts in"
            " this file: {count}."
        ).format(count=number(made_harmless(figure.data))),
        _(
            "The exact tables are in the zip file of the whole release, on the page 'Data and"
            " downloads'."
        ),
        "",
    ]
    return unmarked("\n".join(lines))


def evidence(figure: Figure, release: Release, site: str, retrieved: date) -> bytes:
    """One zip with all of it; the same bytes for the same view, release and day."""
    rows = csv_bytes(figure.data)
    package = {
        "$schema": "https://datapackage.org/profiles/2.0/datapackage.json",
        "name": figure.slug or "figure",
        "title": figure.title,
        "version": release.version,
        "created": release.package["created"],
        "licenses": release.package["licenses"],
        "contributors": release.package["contributors"],
        **(
            {
                "sources": [
                    {
                        "title": str(release.package["title"]),
                        "path": citation.view_link(release, figure.page, figure.choices, site),
                    }
                ]
            }
            if site
            else {}
        ),
        "resources": [
            {
                "name": "data",
                "type": "table",
                "path": "data.csv",
                "format": "csv",
                "mediatype": "text/csv",
                "encoding": "utf-8",
                "bytes": len(rows),
                "hash": f"sha256:{hashlib.sha256(rows).hexdigest()}",
                "schema": schema(figure),
            }
        ],
    }
    drawn = svg(figure, release, site)
    files = {
        "data.csv": rows,
        "data.csv-metadata.json": as_json(csvw(figure)),
        "datapackage.json": as_json(package),
        "README.txt": readme(figure, release, site, retrieved).encode("utf-8"),
        "chart.svg": drawn,
        "chart.png": chart_image.png(drawn.decode("utf-8")),
        "alt.txt": (figure.alt + "\n").encode("utf-8"),
    }
    return zipped(files | {"SHA256SUMS": sums(files)}, f"{figure.slug}-release-{release.version}")


def as_json(value: object) -> bytes:
    return unmarked(json.dumps(value, ensure_ascii=False, indent=1) + "\n").encode("utf-8")


def sums(files: Mapping[str, bytes]) -> bytes:
    """As `sha256sum --check` reads them."""
    return "".join(
        f"{hashlib.sha256(data).hexdigest()}  {name}\n" for name, data in sorted(files.items())
    ).encode("utf-8")


def zipped(files: Mapping[str, bytes], folder: str) -> bytes:
    """A zip whose bytes depend on nothing but the files."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name, data in files.items():
            entry = zipfile.ZipInfo(f"{folder}/{name}", (1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, data)
    return buffer.getvalue()


def in_language(code: str, make: Callable[[], bytes]) -> Callable[[], bytes]:
    """`make` in the language `code`: files are made after the page has run, in another thread."""

    def made() -> bytes:
        language.use(code)
        return make()

    return made


__all__ = ["csv_bytes", "evidence", "file_name", "harmless", "in_language", "png", "svg"]
