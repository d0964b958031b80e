"""Exports read exactly: delimited text (`delimited.py`), workbooks (`workbook.py`) and times
(`times.py`)."""
