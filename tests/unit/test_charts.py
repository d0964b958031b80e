"""Every chart of the site keeps to the schema of Vega-Lite: charts are made without the checks that
Altair makes at each part (`dashboard.charts`)."""

from __future__ import annotations

import altair as alt
import pytest
from altair.utils.schemapi import SchemaValidationError

from dashboard import language
from dashboard.figure import Figure
from dashboard.release import load_release
from dashboard.theme import DARK, LIGHT
from tests.conftest import ROOT
from tests.paper import figures_of


@pytest.fixture(scope="module")
def figures() -> list[Figure]:
    """All charts and flat maps of all pages of the example city, each once."""
    found = figures_of(load_release(ROOT / "data_public"))
    return list({figure.drawn: figure for figure in found if figure.chart}.values())


@pytest.mark.parametrize(("colours", "narrow"), [(LIGHT, False), (DARK, True)])
def test_every_chart_keeps_to_the_schema(figures, colours, narrow):
    assert len(figures) > 80
    with language.speaking("en"):
        for figure in figures:
            figure.chart(colours=colours, narrow=narrow).to_dict(validate=True)


def test_a_chart_that_breaks_the_schema_is_seen(figures):
    with language.speaking("en"):
        chart = figures[0].chart(colours=LIGHT)
    chart.layer[0].encoding.x = alt.X("value:Q", scale=alt.Scale(domain="wide"))
    with pytest.raises(SchemaValidationError):
        chart.to_dict(validate=True)
