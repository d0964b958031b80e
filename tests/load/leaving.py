"""The app, which looks every second for visitors who have left, and tells at `/sessions` how many
it still holds in memory. For tests alone."""

import weakref
from typing import Any

import streamlit as st
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route
from streamlit.runtime.app_session import AppSession

import dashboard.app.service

dashboard.app.service.LET_GO_SECONDS = 1
alive: weakref.WeakSet[AppSession] = weakref.WeakSet()
begin = AppSession.__init__


def counted(self: AppSession, *args: Any, **more: Any) -> None:
    begin(self, *args, **more)
    alive.add(self)


def count(_request: Request) -> JSONResponse:
    return JSONResponse(len(alive))


AppSession.__init__ = counted  # type: ignore[method-assign]
app = st.App(
    "../../streamlit_app.py",
    routes=[Route("/sessions", count)],
    lifespan=dashboard.app.service.lifespan,
)
