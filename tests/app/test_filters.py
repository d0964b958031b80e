"""A filter shows the choice that the page's figures are about, in every run of the page."""

import pytest
from streamlit.testing.v1 import AppTest

from tests.conftest import ROOT


@pytest.mark.parametrize("page", ["outcomes", "coverage", "calls"])
def test_each_run_says_what_is_chosen(page, monkeypatch):
    """A phone may get a second run before it has drawn the first, and draws what that one says: the
    first option, unless it is told otherwise."""
    monkeypatch.setenv("RELEASE_DIR", str(ROOT / "data_public"))
    app = AppTest.from_file(str(ROOT / "streamlit_app.py"), default_timeout=60)
    app.switch_page(f"pages/{page}.py").run()
    for _ in range(2):
        assert len(app.selectbox) >= 2
        for box in app.selectbox:
            assert box.proto.set_value, box.label
            assert box.proto.raw_value == box.format_func(box.value)
        app.run()
    assert any(box.index for box in app.selectbox), "the first option tells nothing here"
