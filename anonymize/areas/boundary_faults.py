"""Faults that the features of a boundary file can have, each as a message with its cure.

Boundary files are public reference data, so messages may show their codes and names.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

MAX_SHOWN = 10
"""Features (or codes) that one message lists; the rest are counted."""
MAX_MENDED_SHARE = 0.001
"""An outline that crosses itself is mended where that changes its area by no more than this share;
beyond, what was meant cannot be known."""
MAX_OVERLAP_SHARE = 0.01
"""Neighbours drawn by hand overlap by slivers; beyond this share of the smaller area, points in
both would be put into the wrong one."""
_MAX_LETTERS = 40


@dataclass(frozen=True)
class Fault:
    """What is wrong (or worth a look) with features, as a noun, and how to mend it."""

    what: str
    cure: str


@dataclass
class Findings:
    """The faults of one boundary file: those that stop the run (`refused`), and those that are only
    reported (`noted`). One sentence for each fault, with its features."""

    file: str
    refused: dict[Fault, list[str]] = field(default_factory=dict)
    noted: dict[Fault, list[str]] = field(default_factory=dict)

    def refuse(self, fault: Fault, feature: str) -> None:
        self.refused.setdefault(fault, []).append(feature)

    def note(self, fault: Fault, feature: str) -> None:
        self.noted.setdefault(fault, []).append(feature)

    @property
    def problems(self) -> tuple[str, ...]:
        return self._sentences(self.refused)

    @property
    def remarks(self) -> tuple[str, ...]:
        return self._sentences(self.noted)

    def _sentences(self, found: dict[Fault, list[str]]) -> tuple[str, ...]:
        return tuple(
            f"{self.file}: {fault.what}: {listed(features)}; {fault.cure}"
            for fault, features in found.items()
        )


def listed(items: Sequence[str]) -> str:
    """The first MAX_SHOWN items as a list in words, and how many more there are."""
    more = f" and {len(items) - MAX_SHOWN:,} more" if len(items) > MAX_SHOWN else ""
    return f"{', '.join(items[:MAX_SHOWN])}{more}"


def shown(value: object) -> str:
    """A value of the file, short enough for a message."""
    text = " ".join(str(value).split())
    return text if len(text) <= _MAX_LETTERS else f"{text[: _MAX_LETTERS - 1]}…"


_WGS84 = "export the file again in WGS 84 (EPSG:4326), longitude first"
_DRAWING = "mend it in the program that drew it (in QGIS: Check validity, Fix geometries)"

# --- Features and their geometry ---

NOT_A_FEATURE = Fault("not a Feature", "export the file again as GeoJSON")
NO_OUTLINE = Fault(
    "no outline (the geometry is missing or empty)", "draw it, or take the feature out of the file"
)
NOT_AN_AREA = Fault(
    "not an area (a Polygon or MultiPolygon was expected)",
    "make areas of lines (in QGIS: Polygonize); take points and mixed collections out of the file",
)
BAD_POSITION = Fault(
    "a position that is not two numbers", "export the file again from the program that drew it"
)
SHORT_RING = Fault("a ring of fewer than four positions", _DRAWING)
OPEN_RING = Fault("a ring that is not closed (its last position must repeat the first)", _DRAWING)
CROSSED = Fault(
    "an outline that crosses itself, and that mending would change by more than"
    f" {100 * MAX_MENDED_SHARE:g} % of its area",
    _DRAWING,
)
MENDED = Fault(
    "an outline that crosses or touches itself (it was mended, almost without a change of area)",
    "look at it on the map",
)
TINY = Fault(
    "an outline smaller than about a metre", f"look at the unit of the coordinates; {_WGS84}"
)
HEIGHTS = Fault(
    "heights beside longitude and latitude", "they are left out, and nothing has to be done"
)

# --- Codes and names ---

NULL_WORD = Fault(
    "a program's word for 'nothing' as a code",
    "write the true code, or take the feature out of the file",
)
ODD_CODE = Fault(
    "a code that is neither text nor a whole number",
    "name another property in 'boundaries.code', or store the codes as text",
)
DECIMAL_CODE = Fault(
    "a number with decimals as a code, which may have lost zeros at its end (101.10 becomes 101.1)",
    "store the codes as text, as the calls write them, or name another property in"
    " 'boundaries.code'",
)
WHOLE_DECIMALS = Fault(
    "a whole number with decimals as a code",
    "it is read without them (9.0 as 9), and nothing has to be done",
)
TEXT_DECIMALS = Fault(
    "a code that is text and ends in '.0'",
    "where the calls write it without, store the codes as whole numbers",
)
UNSEEN_CODE = Fault("a code with characters that cannot be seen", "type it anew")
DISSOLVED = Fault(
    "several features with one code, joined into one area",
    "where they are different areas, give each its own code",
)
NO_NAME = Fault(
    "no name",
    "write it in the agency file under 'names', or leave out 'boundaries.name' so that areas are"
    " shown by code",
)
ODD_NAME = Fault(
    "a name that is neither text nor a number", "name another property in 'boundaries.name'"
)
TWO_NAMES = Fault(
    "one code with several names",
    "give each area its own code, or say the name in the agency file under 'names'",
)
NUMBER_NAME = Fault(
    "a number as a name", "where readers know another name, name its property in 'boundaries.name'"
)
SAME_NAME = Fault(
    "one name for several areas, which readers cannot tell apart",
    "give each its own in the agency file under 'names'",
)


def no_code(name: str) -> Fault:
    return Fault(
        f"no code in the property '{shown(name)}'",
        "write it there, or take the feature out of the file",
    )


def unknown_encoding(stem: str) -> Fault:
    return Fault(
        f"letters beyond A to Z, while nothing says in which encoding {stem}.dbf is written",
        f"put a file {stem}.cpg beside it that holds one word, UTF-8 or ISO-8859-1 (try UTF-8"
        " first, and look at the names)",
    )


# --- Places on Earth ---

_OUTSIDE = "outside longitude -180 to 180 and latitude -90 to 90"
GRID = Fault(
    f"{_OUTSIDE}, with numbers as large as feet or metres of a projected grid",
    f'say which grid in the agency file, boundaries = {{ ..., crs = "EPSG:..." }}, or {_WGS84}',
)
AROUND = Fault(
    _OUTSIDE,
    "write longitudes west of Greenwich with a minus, and cut an outline at longitude 180 in two",
)
OUT_OF_RANGE = Fault(_OUTSIDE, _WGS84)
SWAPPED = Fault(
    "latitude and longitude look swapped",
    "export the file again with longitude (x) first, as GeoJSON asks",
)
NOT_ON_EARTH = Fault(
    "no place on Earth in the coordinates that are declared",
    f"correct what declares them, or {_WGS84}",
)
ANTIMERIDIAN = Fault(
    "an edge of more than 180 degrees of longitude, as of an outline that crosses longitude 180",
    "cut the outline in two there (RFC 7946, 3.1.9)",
)
ABROAD = Fault(
    "outside the country of the agency", "check 'agency.country', and that longitude comes first"
)
OVERLAPS = Fault(
    f"outlines that overlap by more than {100 * MAX_OVERLAP_SHARE:g} % of the smaller one",
    "keep one level of areas in the file, with each place in one area; name what is too much in"
    " 'boundaries.leave_out'",
)


def not_a_grid(crs_name: str) -> Fault:
    return Fault(
        f"numbers that look like degrees, while the coordinates are declared as '{crs_name}'",
        f"correct what declares them (the file itself, or 'boundaries.crs'), or {_WGS84}",
    )
