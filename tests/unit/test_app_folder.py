"""Where the app's scripts lie, in a checkout and installed; and what the log calls them."""

import importlib.util
import re
import shutil

import pytest

from dashboard.numbers import cells
from dashboard.page.app_folder import APP_FOLDER, PAGES_FOLDER
from dashboard.page.page_faults import place_of
from tests.conftest import ROOT


def test_in_a_checkout_they_lie_at_the_top():
    assert APP_FOLDER == ROOT
    assert (PAGES_FOLDER / "calls.py").is_file()


def test_in_a_wheel_they_lie_in_a_package_of_their_own(tmp_path):
    for folder in (
        "dashboard/page",
        "co_response/app/pages",
        "pages",
    ):  # the last one is another package's
        (tmp_path / folder).mkdir(parents=True)
    shutil.copy(ROOT / "dashboard/page/app_folder.py", tmp_path / "dashboard/page")
    spec = importlib.util.spec_from_file_location(
        "installed", tmp_path / "dashboard/page/app_folder.py"
    )
    installed = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(installed)
    assert tmp_path / "co_response/app/pages" == installed.PAGES_FOLDER
    assert tmp_path / "dashboard" == installed.PACKAGE


def test_a_fault_is_named_by_the_frames_of_the_app_alone():
    with pytest.raises(AttributeError) as raised:
        cells.along(None, None, "period", "year", {})
    assert re.fullmatch(
        r"AttributeError at dashboard/numbers/cells\.py:\d+", place_of(raised.value)
    )
    assert place_of(ValueError("JANE17")) == "ValueError at an unknown place"
