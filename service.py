"""The app as a service, with health, data addresses and guarding headers: `streamlit run
service.py`.

`streamlit run streamlit_app.py` shows the same pages without them, where only that is possible
(Streamlit Community Cloud).
"""

import os
import sys

import streamlit as st
from starlette.middleware import Middleware

from dashboard.app.compressed import Compressed
from dashboard.app.guard import Guard
from dashboard.app.head import Head
from dashboard.app.service import ROUTES, embedders, lifespan, ready
from dashboard.app.slow_clients import limit_half_requests
from dashboard.page.page_faults import tell_by_kind_and_place
from dashboard.release.current import last_shown

limit_half_requests()
tell_by_kind_and_place()
door = Middleware(Guard, ready=ready, embedders=embedders)
app = st.App(
    "streamlit_app.py",
    routes=ROUTES,
    middleware=[
        door,
        Middleware(Compressed),
        Middleware(Head, shown=last_shown, begin=bool(os.environ.get("WRITE_AHEAD"))),
    ],
    lifespan=lifespan,
)

sys.setswitchinterval(0.0005)
