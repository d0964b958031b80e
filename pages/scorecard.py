"""Scorecard: targets that council set, with actual, year before, and how sure we are."""

from datetime import date

import pandas as pd
import streamlit as st

from dashboard.language import _, day, percent, pick, text
from dashboard.program import nothing, numbers
from dashboard.scores import score
from dashboard.skeleton import escape, open_page

page = open_page("scorecard")
release = page.release


def field_name(name: str) -> str:
    """A field in the reader's words."""
    plain = {
        "arrived_at": _("Time of arrival"), "dispatched_at": _("Time of dispatch"), "cleared_at": _("Time the call was closed"),
        "officer_cleared_at": _("Time the officer left"), "received_at (day)": _("Day of the call"), "call_id": _("Number of the call"),
        "person_key": _("Who called (never published)"),
    }  # fmt: skip
    return plain.get(name) or (pick(release.codelists[name].name) if name in release.codelists else name.replace("_", " "))


targets = release.reference("targets")
question = _("Is the program meeting what council set?")
if targets is None:
    page.ask(question, nothing())
    page.not_reported(_("targets"))
else:
    rows = numbers(targets, "target").to_dict("records")
    scores = [(row, score(release, row["measure"], str(row["year"]))) for row in rows]
    met = [s.meets(row["target"], row["direction"]) for row, s in scores if s is not None]
    page.ask(
        question,
        _("{met} of {all} targets are met; {unclear} are too close to call.").format(
            met=met.count("met"), all=len(scores), unclear=met.count("unclear")
        ),
    )
    words = {"met": _("met"), "missed": _("not met"), "unclear": _("too close to call"), "unknown": _("no figure")}
    shown, data = [], []
    for row, found in scores:
        direction = _("at least {target}") if row["direction"] == "at_least" else _("at most {target}")
        verdict = found.meets(row["target"], row["direction"]) if found else "unknown"
        shown.append(
            {
                _("Measure"): found.plain if found else row["measure"], _("Year"): row["year"], _("Target"): direction.format(target=percent(row["target"])),
                _("Actual"): found.shown if found else "–", _("Year before"): found.before_shown if found else "–",
                _("Trend"): found.trend if found else "–", _("Result"): words[verdict],
            }
        )  # fmt: skip
        data.append({"measure": row["measure"], "year": row["year"], "target": row["target"], "direction": row["direction"],
                     "actual": found.now.share if found else None, "before": found.before.share if found and found.before else None, "result": verdict})  # fmt: skip
    page.rows(
        title=_("Targets and what came of them"),
        table=pd.DataFrame(shown),
        data=pd.DataFrame(data),
        file=("scorecard",),
        note=_(
            "'Too close to call' means that the 95 % interval holds the target. A trend is named only where chance alone is unlikely to explain it."
        ),
    )
    st.header(_("Why these targets"), anchor=False)
    for row, found in scores:
        st.markdown(
            _("- **{measure}**: {reason} Set on {day}.").format(
                measure=found.plain if found else escape(row["measure"]),
                reason=escape(text(row, "reason")),
                day=day(date.fromisoformat(row["set_on"])),
            )
        )
st.header(_("How good are the data?"), anchor=False)
complete = release.package.get("completeness", {})
if not complete:
    page.not_reported(_("how complete the data are"))
else:
    low = {name: share for name, share in complete.items() if share < 90}
    page.rows(
        title=_("Completeness of the fields"),
        table=pd.DataFrame([{_("Field"): field_name(name), _("Filled"): percent(share / 100), _("Flag"): _("below 90 %: read with care") if share < 90 else _("good")} for name, share in complete.items()]),
        data=pd.DataFrame([{"field": name, "percent": share} for name, share in complete.items()]), file=("completeness",),
        note=_("{count} fields are filled in fewer than 9 of 10 calls.").format(count=len(low)) if low else "",
    )  # fmt: skip
page.defined("coverage", "wait_within_30", "connected", "arrests", "completeness")
page.caveats(
    [
        _("A target met is not proof that the program works, and a target missed is not proof that it does not."),
        _("Targets were set by people, for the reasons given. Other reasons would give other targets."),
    ]
)
page.end()
