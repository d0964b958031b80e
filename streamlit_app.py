"""Entry point: language, navigation, and the page chosen. Nothing else."""

import streamlit as st

from dashboard import language
from dashboard.language import _
from dashboard.navigation import choose_language, page_list

st.set_page_config(layout="centered", initial_sidebar_state="collapsed")
language.use(choose_language())
page = st.navigation(page_list(), position="top")
st.set_page_config(page_title=f"{page.title} – {_('Co-response in numbers')}")
page.run()
