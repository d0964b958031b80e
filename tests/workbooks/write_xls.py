"""Writes `calls.xls` beside this file: two monthly sheets under title rows, and a sheet with cells
of every kind. Needs xlwt 1.3.0, which is in no lock file: no library that is looked after writes
this old format."""

from datetime import datetime, time
from pathlib import Path

import xlwt

CLOCK = xlwt.easyxf(num_format_str="m/d/yyyy h:mm")
DAY = xlwt.easyxf(num_format_str="m/d/yyyy")
TIME = xlwt.easyxf(num_format_str="h:mm:ss AM/PM")
SPAN = xlwt.easyxf(num_format_str="[h]:mm:ss")
NAMES = ("id", "at", "type", "serial")
ORIGIN = datetime(1899, 12, 30)


def serial(moment: datetime) -> float:
    return (moment - ORIGIN).total_seconds() / 86400


book = xlwt.Workbook()
for month in (1, 2):
    sheet = book.add_sheet(f"{datetime(2024, month, 1):%B}")
    sheet.write(0, 0, "Calls for service")
    for column, name in enumerate(NAMES):
        sheet.write(2, column, name)
    for i in range(40):
        moment = datetime(2024, month, 1 + i % 28, i % 24, i % 60, 7)
        sheet.write(3 + i, 0, month * 100 + i)
        sheet.write(3 + i, 1, moment, CLOCK)
        sheet.write(3 + i, 2, "Crisis" if i % 3 else "Check")
        sheet.write(3 + i, 3, serial(moment))
    sheet.write(44, 0, f"{month}-ragged")
    sheet.write(44, 6, "beyond the names")
cells = book.add_sheet("Cells")
for row, (kind, value, style) in enumerate(
    [
        ("kind", "value", None),
        ("whole", 7.0, None),
        ("decimal", 0.1, None),
        ("zeros", "00042", None),
        ("blanks", " a  b ", None),
        ("lines", "Ñandú\nsecond", None),
        ("yes", True, None),
        ("midnight", datetime(2024, 2, 3), CLOCK),
        ("day", datetime(2024, 2, 3), DAY),
        ("moment", datetime(2024, 2, 3, 18, 10, 59), CLOCK),
        ("clock", time(18, 10, 59), TIME),
        ("span", 26 / 24, SPAN),
        ("leap", datetime(2024, 2, 29, 23, 59, 59), CLOCK),
    ]
):
    cells.write(row, 0, kind)
    cells.write(row, 1, value, *([style] if style else []))
book.save(str(Path(__file__).with_name("calls.xls")))
