"""A bare Streamlit app with the charts, maps and tables of each page, made ready: what the pages'
server time is measured against.

`CHARTS` names the file that `tests.load` writes.
"""

import os
import pickle
from functools import partial
from pathlib import Path

import streamlit as st

st.set_page_config(layout="centered")


@st.cache_resource
def ready():
    return pickle.loads(Path(os.environ["CHARTS"]).read_bytes())


def show(name):
    for title, chart, deck, table in ready()[name]:
        st.header(title)
        if chart is not None:
            st.altair_chart(chart, width="stretch")
        if deck is not None:
            st.pydeck_chart(deck, height=460)
        if table is not None:
            st.table(table)


def page(name, first):
    run = partial(show, name)
    run.__name__ = name
    return st.Page(
        run, title=name, url_path=None if first else name.replace("_", "-"), default=first
    )


st.navigation([page(name, n == 0) for n, name in enumerate(ready())], position="hidden").run()
