"""The app that serves pages: the web service and its guard, the menu, Streamlit as a surface."""
