"""One line that loads a file of the release, for each of the programs that most people compute
with."""

from __future__ import annotations

from typing import Any

from dashboard.export.cells_parquet import NAME, NUMBERS, table_of
from dashboard.release.reader import Release


def base(release: Release, site: str) -> str:
    """Where the files of a release lie: on the agency's site, or where it names none, in the folder
    that the zip file makes."""
    return f"{site}/data/{release.version}" if site else f"release-{release.version}"


def python(resource: dict[str, Any] | None, place: str) -> str:
    """With pandas: codes are texts, counts are numbers, what is withheld is missing. Without a
    resource: all tables in one."""
    path = NAME if resource is None else f"{str(resource['path']).removesuffix('.csv')}.parquet"
    return (
        f"import pandas as pd; {'cells' if resource is None else table_of(resource)} ="
        f' pd.read_parquet("{place}/{path}")'
    )


def r(resource: dict[str, Any], place: str) -> str:
    """With R as it comes: a class for each column, so that a code such as 092 stays a text."""
    classes: list[list[Any]] = []
    for field in resource["schema"]["fields"]:
        kind = "numeric" if field["type"] in NUMBERS else "character"
        if classes and classes[-1][0] == kind:
            classes[-1][1] += 1
        else:
            classes.append([kind, 1])
    listed = ", ".join(f'rep("{kind}", {times})' for kind, times in classes)
    return (
        f'{table_of(resource)} <- read.csv("{place}/{resource["path"]}", colClasses = c({listed}),'
        ' na.strings = "", fileEncoding = "UTF-8")'
    )


def excel(resource: dict[str, Any], place: str) -> str:
    """A formula of Power Query (Data, Get Data, Blank Query): every column is a text, as in the
    file."""
    address = f"{place}/{resource['path']}"
    local = address.replace("/", "\\")
    source = f'Web.Contents("{address}")' if "://" in place else f'File.Contents("C:\\{local}")'
    return (
        f'=Table.PromoteHeaders(Csv.Document({source}, [Delimiter=",", Encoding=65001,'
        " QuoteStyle=QuoteStyle.Csv]))"
    )
