"""The tree of each dimension: a root `all`, then levels from coarse to fine, every chain complete.

Whatever the records hold, the tree depends on the agency file (and its boundary file) alone, so
that the codes of a release tell nothing about single records.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import cached_property
from itertools import pairwise

import numpy as np
import numpy.typing as npt
from babel.dates import format_date

from anonymize.agency.schema import FLAG_FIELDS, DimensionSpec, Text, TimeSpec

ROOT = "all"
UNKNOWN = "unknown"
NOT_RECORDED = Text(en="Not recorded", es="Sin registro")


@dataclass(frozen=True)
class Node:
    code: str
    label: Text
    parent: str
    level: str


@dataclass(frozen=True)
class Codelist:
    """`levels` starts with `all`; `nodes` holds the root first, each parent before its children."""

    dimension: str
    name: Text
    levels: tuple[str, ...]
    nodes: tuple[Node, ...]

    @cached_property
    def by_code(self) -> dict[str, Node]:
        return {node.code: node for node in self.nodes}

    def codes_at(self, level: str) -> tuple[str, ...]:
        return tuple(node.code for node in self.nodes if node.level == level)

    @property
    def finest(self) -> str:
        return self.levels[-1]

    def ancestors(self, level: str) -> dict[str, str]:
        """For each code at `level` or finer, the code above it (or itself) at `level`."""
        rank = {name: i for i, name in enumerate(self.levels)}
        found: dict[str, str] = {}
        for node in self.nodes:
            if node.level == level:
                found[node.code] = node.code
            elif rank[node.level] > rank[level]:
                found[node.code] = found[node.parent]
        return found

    @cached_property
    def unknown_leaf(self) -> str | None:
        """The finest code under the root's `unknown`, where the dimension has one."""
        if UNKNOWN not in self.by_code:
            return None
        below = self.ancestors(self.by_code[UNKNOWN].level)
        return next(c for c in self.codes_at(self.finest) if below[c] == UNKNOWN)


def _down(first: Node, levels: Iterable[str]) -> list[Node]:
    """`first`, and under it one node of the same name at each of the `levels` below: every chain is
    complete."""
    chain = [first]
    for level in levels:
        chain.append(Node(f"{first.code}.{level}", first.label, chain[-1].code, level))
    return chain


def with_unknown(
    dimension: str,
    name: Text,
    all_label: Text,
    levels: tuple[str, ...],
    nodes: Iterable[Node],
    *,
    unknown: bool,
) -> Codelist:
    """A codelist from `nodes` (without root); where `unknown`, its root has a child of that name,
    down to the finest level."""
    every = (ROOT, *levels)
    result = [Node(ROOT, all_label, "", ROOT), *nodes]
    if unknown:
        first, *below = levels
        result += _down(Node(UNKNOWN, NOT_RECORDED, ROOT, first), below)
    return Codelist(dimension, name, every, _by_level(result, every))


def _by_level(nodes: Iterable[Node], levels: Sequence[str]) -> tuple[Node, ...]:
    return tuple(sorted(nodes, key=lambda node: levels.index(node.level)))


def with_unknown_below_all(codelist: Codelist) -> Codelist:
    """The codelist with a child `CODE.unknown` for each code above the finest level, since values
    may name a coarse code alone."""
    every, result = codelist.levels, list(codelist.nodes)
    for node in codelist.nodes:
        if node.code in (ROOT, UNKNOWN) or node.code.startswith(f"{UNKNOWN}."):
            continue
        if node.level != codelist.finest:
            first, *below = every[every.index(node.level) + 1 :]
            result += _down(Node(f"{node.code}.{UNKNOWN}", NOT_RECORDED, node.code, first), below)
    return replace(codelist, nodes=_by_level(result, every))


def from_spec(dimension: str, spec: DimensionSpec) -> Codelist:
    """Raises KeyError when a parent is missing; `agency.load` has checked that before."""
    level_of: dict[str, str] = {}
    for code in spec.codes:
        level_of[code.code] = (
            spec.levels[0]
            if code.parent is None
            else spec.levels[spec.levels.index(level_of[code.parent]) + 1]
        )
    nodes = [Node(c.code, c.label, c.parent or ROOT, level_of[c.code]) for c in spec.codes]
    return with_unknown(dimension, spec.name, spec.all, spec.levels, nodes, unknown=spec.unknown)


def _flat(
    dimension: str,
    name: tuple[str, str],
    all_label: tuple[str, str],
    level: str,
    codes: Mapping[str, tuple[str, str]],
) -> Codelist:
    nodes = [Node(code, Text(en=en, es=es), ROOT, level) for code, (en, es) in codes.items()]
    return with_unknown(
        dimension,
        Text(en=name[0], es=name[1]),
        Text(en=all_label[0], es=all_label[1]),
        (level,),
        nodes,
        unknown=True,
    )


def _two_levels(
    dimension: str,
    name: tuple[str, str],
    levels: tuple[str, str],
    groups: Mapping[str, tuple[str, str]],
    codes: Mapping[str, tuple[str, str, str]],
) -> Codelist:
    """A codelist of all calls in `groups` (code -> labels), each with its `codes` (code -> group,
    labels)."""
    nodes = [Node(code, Text(en=en, es=es), ROOT, levels[0]) for code, (en, es) in groups.items()]
    nodes += [
        Node(code, Text(en=en, es=es), group, levels[1]) for code, (group, en, es) in codes.items()
    ]
    return with_unknown(
        dimension,
        Text(en=name[0], es=name[1]),
        Text(en="All calls", es="Todas las llamadas"),
        levels,
        nodes,
        unknown=True,
    )


_FLAG_NAMES = {
    "eligible": ("Meets the program's criteria", "Cumple los criterios del programa"),
    "arrest": ("Arrest", "Arresto"),
    "arrestable": ("An act that allows arrest", "Un acto que permite el arresto"),
    "force_used": ("Force used", "Uso de la fuerza"),
    "weapon_reported": ("Weapon reported", "Arma reportada"),
    "injured_officer": ("Officer hurt", "Agente con lesiones"),
    "injured_clinician": ("Clinician hurt", "Profesional clínico con lesiones"),
    "injured_person": ("Person in crisis hurt", "Persona en crisis con lesiones"),
    "interpreter_used": ("Interpreter used", "Se usó intérprete"),
    "serious_force": ("Serious force", "Fuerza grave"),
    "citation": ("Citation without arrest", "Citación sin arresto"),
    "arrest_required": ("The law required the arrest", "La ley exigía el arresto"),
    "ed_criteria": ("Needed to be seen at an emergency room", "Necesitaba una sala de emergencias"),
    "restrained": ("Handcuffed or restrained", "Con esposas u otra sujeción"),
    "officer_trained": (
        "Officer with crisis training",
        "Agente con capacitación en crisis",
    ),
    "crisis_in_report": (
        "The report says that it was a crisis",
        "El informe dice que era una crisis",
    ),
    "backup_requested": ("Team asked for police backup", "El equipo pidió refuerzos policiales"),
    "handed_back": ("Handed back to police", "Devuelta a la policía"),
    "started_by_team": ("Started by the team itself", "Iniciada por el propio equipo"),
    "in_program_area": ("Inside the program's area", "Dentro de la zona del programa"),
    "other_units_came": (
        "Fire or ambulance crew came too",
        "También acudieron bomberos o ambulancia",
    ),
    "taken_to_ed": ("Taken to an emergency room", "Llevada a la sala de emergencias"),
    "on_duty": ("A team was on duty", "Había un equipo de turno"),
    "officer_released": (
        "Officer left before the clinician",
        "El agente se fue antes que el profesional clínico",
    ),
}


def flag(field: str) -> Codelist:
    return _flat(
        field,
        _FLAG_NAMES[field],
        ("All calls", "Todas las llamadas"),
        "answer",
        {"yes": ("Yes", "Sí"), "no": ("No", "No")},
    )


def responder() -> Codelist:
    """Who came. `reached` says whether a clinician came in person (measure F3)."""
    reached = {
        "clinician": ("A clinician came", "Acudió un profesional clínico"),
        "no_clinician": ("No clinician came", "No acudió un profesional clínico"),
    }
    who = {
        "co_responder": (
            "clinician",
            "Officer and clinician team",
            "Equipo de agente y profesional clínico",
        ),
        "clinician_only": ("clinician", "Clinician only", "Solo profesional clínico"),
        "police_only": ("no_clinician", "Police only", "Solo policía"),
        "other": ("no_clinician", "Other responders", "Otro personal"),
    }
    return _two_levels(
        "responder", ("Who came", "Quién acudió"), ("reached", "responder"), reached, who
    )


def outcome() -> Codelist:
    """The exclusive final categories of measure O1, under whether the person was met and took part
    (measure F5)."""
    contact = {
        "met": ("Someone was met, and took part", "Se encontró a la persona y participó"),
        "not_met": (
            "Nobody found, or no help wanted",
            "No se encontró a nadie, o la persona no aceptó ayuda",
        ),
    }
    ends = {
        "stayed_with_plan": (
            "met",
            "Stayed in the community with a plan",
            "Siguió en la comunidad con un plan",
        ),
        "safety_plan_referral": (
            "met",
            "Safety plan and referral",
            "Plan de seguridad y remisión a servicios",
        ),
        "crisis_center": (
            "met",
            "Went to a crisis center by choice",
            "Fue a un centro de crisis por voluntad propia",
        ),
        "emergency_department": (
            "met",
            "Went to the emergency room by choice",
            "Fue a la sala de emergencias por voluntad propia",
        ),
        "involuntary_hold": (
            "met",
            "Taken to care without consent (hold)",
            "Traslado involuntario",
        ),
        "arrest_or_citation": ("met", "Arrest or citation", "Arresto o citación"),
        "handed_over": ("met", "Handed to medics or police", "Pasó a paramédicos o policía"),
        "refused": ("not_met", "Person said no to help", "La persona no aceptó ayuda"),
        "not_found": ("not_met", "Person not found", "No se encontró a la persona"),
    }
    return _two_levels(
        "outcome",
        ("How the call ended", "Cómo terminó la llamada"),
        ("contact", "outcome"),
        contact,
        ends,
    )


TAKEN_TO_ED = ("emergency_department", "involuntary_hold")
"""Ends of a call at an emergency room: a hold begins there too."""


def not_served_reason() -> Codelist:
    """Why no team came to an eligible call (measure F4); `served` where one did."""
    return _flat(
        "not_served_reason",
        ("Why no team came", "Por qué no acudió un equipo"),
        ("All calls", "Todas las llamadas"),
        "reason",
        {
            "served": ("A clinician came", "Acudió un profesional clínico"),
            "no_unit": ("No team on duty", "Ningún equipo de turno"),
            "all_busy": ("All teams busy", "Todos los equipos ocupados"),
            "out_of_area": ("Outside the teams' area", "Fuera de la zona de los equipos"),
            "declined": ("Dispatcher did not send a team", "La central no envió un equipo"),
            "cancelled": ("Call canceled", "Llamada cancelada"),
            "safety_hold": ("Scene not safe yet", "El lugar aún no era seguro"),
        },
    )


def led_by() -> Codelist:
    """Who took the lead on scene (claim 13)."""
    return _flat(
        "led_by",
        ("Who led", "Quién dirigió"),
        ("All calls", "Todas las llamadas"),
        "role",
        {
            "clinician": ("The clinician", "El profesional clínico"),
            "officer": ("The officer", "El agente"),
            "together": ("Both together", "Ambos juntos"),
        },
    )


CODED: dict[str, tuple[tuple[str, str], str, dict[str, tuple[str, str]]]] = {
    "clinician_role": (
        ("What the clinician did first", "Qué hizo primero el profesional clínico"),
        "role",
        {
            "first_contact": ("Spoke to the person first", "Habló primero con la persona"),
            "after_patrol": (
                "Spoke after officers had control",
                "Habló cuando la policía ya tenía el control",
            ),
            "by_phone": ("Spoke by phone or video", "Habló por teléfono o video"),
            "did_not_speak": ("Did not speak to the person", "No habló con la persona"),
        },
    ),
    "hold_started_by": (
        ("Who started the hold", "Quién inició el traslado involuntario"),
        "role",
        {
            "clinician": ("The clinician", "El profesional clínico"),
            "officer": ("An officer", "Un agente"),
            "other": ("Someone else, such as a court", "Otra persona, como un tribunal"),
        },
    ),
    "triaged": (
        ("Was the call checked?", "¿Se revisó la llamada?"),
        "result",
        {
            "checked": ("Checked against the criteria", "Se revisó según los criterios"),
            "nobody_free": ("Not checked: nobody was free", "No se revisó: no había nadie libre"),
            "other_reason": (
                "Not checked for another reason",
                "No se revisó por otro motivo",
            ),
        },
    ),
}
"""Fields with built-in codes of one level: name, level, and code -> labels."""


def coded(field: str) -> Codelist:
    name, level, codes = CODED[field]
    return _flat(field, name, ("All calls", "Todas las llamadas"), level, codes)


def partner_unavailable() -> Codelist:
    """What was asked for and could not be had, under whether anything was missing."""
    return _two_levels(
        "partner_unavailable",
        ("What could not be had", "Lo que no se pudo conseguir"),
        ("found", "kind"),
        {
            "had": ("Nothing was missing", "No faltó nada"),
            "lacking": ("Something was missing", "Faltó algo"),
        },
        {
            "nothing": ("had", "Nothing was missing", "No faltó nada"),
            "bed": (
                "lacking",
                "A bed or a place in treatment",
                "Una cama o un lugar en tratamiento",
            ),
            "shelter": ("lacking", "A place to sleep", "Un lugar para dormir"),
            "transport": ("lacking", "A ride", "Transporte"),
            "other": ("lacking", "Something else", "Otra cosa"),
        },
    )


WAIT_EDGES = (10, 20, 30, 60)


def wait() -> Codelist:
    """Minutes from call to first arrival (measure T1), in bands under half hours: the share within
    a target is a count over a count."""
    halves = {
        "within_30": ("Under 30 minutes", "Menos de 30 minutos"),
        "over_30": ("30 minutes or more", "30 minutos o más"),
    }
    bands = {"under_10": ("within_30", "Under 10 minutes", "Menos de 10 minutos")}
    for low, high in pairwise(WAIT_EDGES):
        bands[f"{low}_to_{high}"] = (
            "within_30" if high <= 30 else "over_30",
            f"{low} to {high} minutes",
            f"{low} a {high} minutos",
        )
    bands["over_60"] = ("over_30", "60 minutes or more", "60 minutos o más")
    return _two_levels(
        "wait",
        ("Wait for the first unit", "Espera hasta la primera unidad"),
        ("half_hour", "band"),
        halves,
        bands,
    )


VISIT_DAYS = 30
"""A visit within so many days of the call is put down to the referral."""


def handoff() -> Codelist:
    """How far a referral got (measures C1, C3). `agreed` holds the accepted referrals whose 30 days
    are over: what a visit is counted out of."""
    tree = (
        ("not_agreed", ROOT, 0, "No referral, or not accepted", "Sin remisión, o no aceptada"),
        ("none", "not_agreed", 1, "No referral offered", "No se ofreció remisión"),
        ("declined", "not_agreed", 1, "Offered, not accepted", "Ofrecida, no aceptada"),
        (
            "agreed",
            ROOT,
            0,
            "Referral accepted, 30 days over",
            "Remisión aceptada, pasaron 30 días",
        ),
        (
            "accepted",
            "agreed",
            1,
            "Accepted, no visit confirmed within 30 days",
            "Aceptada, sin cita confirmada en 30 días o menos",
        ),
        (
            "connected",
            "agreed",
            1,
            "Connected to care (visit confirmed within 30 days)",
            "Con atención confirmada (cita en 30 días o menos)",
        ),
        (
            "open",
            ROOT,
            0,
            "Referral accepted, 30 days not over",
            "Remisión aceptada, aún no pasan 30 días",
        ),
    )
    levels, parents = ("agreed", "step"), {parent for _code, parent, *_rest in tree}
    nodes = [
        node
        for code, parent, depth, en, es in tree
        for node in _down(
            Node(code, Text(en=en, es=es), parent, levels[depth]),
            levels[depth + 1 :] if code not in parents else (),
        )
    ]
    name, whole = (
        Text(en="Referral", es="Remisión a servicios"),
        Text(en="All calls", es="Todas las llamadas"),
    )
    return with_unknown("handoff", name, whole, levels, nodes, unknown=True)


def partner() -> Codelist:
    """To whom people were referred."""
    return _flat(
        "partner",
        ("Partner", "Organización asociada"),
        ("All partners", "Todas las organizaciones"),
        "partner",
        {
            "none": ("No referral", "Sin remisión"),
            "crisis_center": ("Crisis center", "Centro de crisis"),
            "clinic": ("Mental-health clinic", "Clínica de salud mental"),
            "substance_use": ("Alcohol and drug treatment", "Tratamiento por alcohol o drogas"),
            "hospital": ("Hospital", "Hospital"),
            "housing": ("Housing and shelter", "Vivienda y refugio"),
            "peer": ("Peer support", "Apoyo entre pares"),
            "other": ("Other partner", "Otra organización"),
        },
    )


def warm() -> Codelist:
    """How a referral was passed on (measure C4): warm is in person or by a live call."""
    return _flat(
        "warm",
        ("How the referral was passed on", "Cómo se hizo la remisión"),
        ("All calls", "Todas las llamadas"),
        "way",
        {
            "none": ("No referral", "Sin remisión"),
            "yes": (
                "In person or by live call",
                "En persona o con una llamada entre los dos servicios",
            ),
            "no": ("Another way", "De otra manera"),
        },
    )


FOLLOW_UP_DAYS = (30, 7, 1)


def follow_up() -> Codelist:
    """How soon someone who agreed to a follow-up was spoken to (measure C2, its windows of 1, 7 and
    30 days).

    `due`: agreed, and 30 days have passed; `open`: agreed, and they have not. Each window lies
    within the next, so that its share is a count over a count.
    """
    levels = ("due", "month", "week", "day")
    tree = (
        ("due", ROOT, 0, "Follow-up agreed, 30 days over", "Seguimiento acordado, pasaron 30 días"),
        ("within_30", "due", 1, "Spoken to within 30 days", "Se habló con la persona en 30 días"),
        (
            "within_7",
            "within_30",
            2,
            "Spoken to within 7 days",
            "Se habló con la persona en 7 días",
        ),
        ("within_1", "within_7", 3, "Spoken to within 1 day", "Se habló con la persona en 1 día"),
        (
            "days_2_7",
            "within_7",
            3,
            "Spoken to after 2 to 7 days",
            "Se habló con la persona entre 2 y 7 días después",
        ),
        (
            "days_8_30",
            "within_30",
            2,
            "Spoken to after 8 to 30 days",
            "Se habló con la persona entre 8 y 30 días después",
        ),
        (
            "after_30",
            "due",
            1,
            "Not spoken to within 30 days",
            "No se habló con la persona en 30 días",
        ),
        (
            "open",
            ROOT,
            0,
            "Follow-up agreed, 30 days not over",
            "Seguimiento acordado, aún no pasan 30 días",
        ),
        ("none", ROOT, 0, "No follow-up agreed", "Sin seguimiento acordado"),
    )
    parents = {parent for _code, parent, *_rest in tree}
    nodes = [
        node
        for code, parent, depth, en, es in tree
        for node in _down(
            Node(code, Text(en=en, es=es), parent, levels[depth]),
            levels[depth + 1 :] if code not in parents else (),
        )
    ]
    name, whole = (
        Text(en="Follow-up", es="Seguimiento"),
        Text(en="All calls", es="Todas las llamadas"),
    )
    return with_unknown("follow_up", name, whole, levels, nodes, unknown=True)


def months_between(first: date, last: date) -> list[date]:
    """The first day of each month from `first` to `last`, both included."""
    found, day = [], first.replace(day=1)
    while day <= last:
        found.append(day)
        day = (day + timedelta(days=32)).replace(day=1)
    return found


def period(data_from: date, data_to: date, *, has_months: bool) -> Codelist:
    """Years, quarters and months from `data_from` to `data_to`; only the root without months."""
    name, whole = Text(en="Period", es="Periodo"), Text(en="Whole period", es="Todo el periodo")
    if not has_months:
        return Codelist("period", name, (ROOT,), (Node(ROOT, whole, "", ROOT),))
    nodes: dict[str, Node] = {}
    for day in months_between(data_from, data_to):
        year, quarter, month = f"{day.year}", f"{day.year}-Q{(day.month + 2) // 3}", f"{day:%Y-%m}"
        n = (day.month + 2) // 3
        nodes.setdefault(year, Node(year, Text(en=year, es=year), ROOT, "year"))
        nodes.setdefault(
            quarter,
            Node(quarter, Text(en=f"Q{n} {day.year}", es=f"T{n} {day.year}"), year, "quarter"),
        )
        label = Text(
            en=format_date(day, "LLLL y", locale="en"),
            es=format_date(day, "LLLL 'de' y", locale="es"),
        )
        nodes[month] = Node(month, label, quarter, "month")
    return with_unknown(
        "period", name, whole, ("year", "quarter", "month"), nodes.values(), unknown=False
    )


def _clock_span(start: int, end: int) -> Text:
    """From one full hour to another, as people in the United States write times: "8 a.m. to noon",
    "8 a. m. a mediodía"."""

    def written(hour: int, am: str, pm: str, midnight: str, noon: str) -> tuple[str, str]:
        """The hour, and its half of the day (none where the word tells it)."""
        if hour % 24 == 0:
            return midnight, ""
        if hour == 12:
            return noon, ""
        return str(hour % 12), am if hour < 12 else pm

    def span(to: str, *words: str) -> str:
        (first, half), (last, other) = written(start, *words), written(end, *words)
        opening = first if half == other else f"{first} {half}".strip()
        return f"{opening} {to} {last} {other}".strip()

    return Text(
        en=span("to", "a.m.", "p.m.", "midnight", "noon"),
        es=span("a", "a. m.", "p. m.", "medianoche", "mediodía"),
    )


def fiscal_year(data_from: date, data_to: date, starts: int) -> Codelist:
    """Years of the agency's budget, from the month `starts` on, each called by the year in which it
    ends. A code says its first and last month (`2024-07_2025-06`), so that anyone can tell which
    months it holds."""
    nodes: dict[str, Node] = {}
    for day in months_between(data_from, data_to):
        first = date(day.year - (day.month < starts), starts, 1)
        last = date(first.year + 1, starts - 1, 1)
        en, es = (
            (f"{format_date(month, 'LLLL y', locale='en')}" for month in (first, last)),
            (format_date(month, "LLLL 'de' y", locale="es") for month in (first, last)),
        )
        label = Text(
            en=f"Fiscal year {last.year} ({' to '.join(en)})",
            es=f"Año fiscal {last.year} ({' a '.join(es)})",
        )
        code = f"{first:%Y-%m}_{last:%Y-%m}"
        nodes.setdefault(code, Node(code, label, ROOT, "fiscal_year"))
    name, whole = (
        Text(en="Fiscal year", es="Año fiscal"),
        Text(en="Whole period", es="Todo el periodo"),
    )
    return with_unknown("fiscal_year", name, whole, ("fiscal_year",), nodes.values(), unknown=False)


def fiscal_year_of(month: str, codes: Iterable[str]) -> str | None:
    """The fiscal year among `codes` that holds a month (`2024-09`)."""
    return next((code for code in codes if code[:7] <= month <= code[8:]), None)


def hour(*, unknown: bool) -> Codelist:
    """Hour of the day the call came in (00 to 23, local time), in blocks of four hours."""
    nodes = []
    for start in range(0, 24, 4):
        block = f"{start:02d}-{start + 3:02d}"
        nodes.append(Node(block, _clock_span(start, start + 4), ROOT, "block"))
        nodes += [
            Node(f"{h:02d}", _clock_span(h, h + 1), block, "hour") for h in range(start, start + 4)
        ]
    return with_unknown(
        "hour",
        Text(en="Hour of the day", es="Hora del día"),
        Text(en="All hours", es="Todas las horas"),
        ("block", "hour"),
        nodes,
        unknown=unknown,
    )


SEASONS = {
    "winter": (
        Text(en="Winter (December to February)", es="Invierno (diciembre a febrero)"),
        (12, 1, 2),
    ),
    "spring": (Text(en="Spring (March to May)", es="Primavera (marzo a mayo)"), (3, 4, 5)),
    "summer": (Text(en="Summer (June to August)", es="Verano (junio a agosto)"), (6, 7, 8)),
    "fall": (
        Text(en="Fall (September to November)", es="Otoño (septiembre a noviembre)"),
        (9, 10, 11),
    ),
}
"""Code -> label and months (the meteorological seasons of the northern half of the world)."""


def season() -> Codelist:
    """Season of the year the call came in."""
    nodes = [Node(code, label, ROOT, "season") for code, (label, _months) in SEASONS.items()]
    return with_unknown(
        "season",
        Text(en="Season", es="Estación"),
        Text(en="All year", es="Todo el año"),
        ("season",),
        nodes,
        unknown=False,
    )


def weekday(*, unknown: bool) -> Codelist:
    """Day of the week, Monday first, under working days and weekend."""
    en = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
    es = ("Lunes", "Martes", "Miércoles", "Jueves", "Viernes", "Sábado", "Domingo")
    nodes = [
        Node("mon-fri", Text(en="Monday to Friday", es="Lunes a viernes"), ROOT, "part"),
        Node("sat-sun", Text(en="Weekend", es="Fin de semana"), ROOT, "part"),
    ]
    for i, (label_en, label_es) in enumerate(zip(en, es, strict=True)):
        nodes.append(
            Node(
                f"{i + 1}", Text(en=label_en, es=label_es), "mon-fri" if i < 5 else "sat-sun", "day"
            )
        )
    return with_unknown(
        "weekday",
        Text(en="Day of the week", es="Día de la semana"),
        Text(en="All days", es="Todos los días"),
        ("part", "day"),
        nodes,
        unknown=unknown,
    )


def built_in(
    time: TimeSpec, data_from: date, data_to: date, fiscal_year_starts: int | None = None
) -> dict[str, Codelist]:
    """The dimensions every agency has: time from the calls' time columns, flags, responder,
    outcome; fiscal years where it counts in them."""
    falls_back = bool(time.year)
    exact_day = bool(time.timestamp or time.date) and not falls_back
    lists = {
        field: flag(field) for field in (*FLAG_FIELDS, "officer_released", "on_duty", "taken_to_ed")
    }
    lists |= {
        "responder": responder(),
        "outcome": outcome(),
        "not_served_reason": not_served_reason(),
    }
    lists |= {"led_by": led_by(), "wait": wait(), **{field: coded(field) for field in CODED}}
    lists["partner_unavailable"] = partner_unavailable()
    lists |= {"handoff": handoff(), "partner": partner(), "warm": warm(), "follow_up": follow_up()}
    lists["period"] = period(data_from, data_to, has_months=not time.period)
    if not time.period:
        lists["season"] = season()
        if fiscal_year_starts:
            lists["fiscal_year"] = fiscal_year(data_from, data_to, fiscal_year_starts)
    if time.timestamp or time.date:
        lists["weekday"] = weekday(unknown=not exact_day)
    if time.timestamp or time.clock or time.hour:
        # A date without a clock has an unknown hour.
        lists["hour"] = hour(unknown=time.blank_hour is None)
    return lists


@dataclass(frozen=True)
class Dimension:
    """One dimension of one table: the codelist and the levels published, `all` first."""

    codelist: Codelist
    levels: tuple[str, ...]

    @cached_property
    def codes(self) -> tuple[str, ...]:
        """All published codes in codelist order, coarse levels first."""
        return tuple(code for level in self.levels for code in self.codelist.codes_at(level))

    @property
    def finest(self) -> str:
        return self.levels[-1]

    @cached_property
    def roll_up(self) -> npt.NDArray[np.int64]:
        """(codes, finest codes) 0/1: which finest codes each code holds."""
        leaves = self.codelist.codes_at(self.finest)
        position = {code: i for i, code in enumerate(leaves)}
        matrix = np.zeros((len(self.codes), len(leaves)), dtype=np.int64)
        row = 0
        for level in self.levels:
            above = self.codelist.ancestors(level)
            rows = {code: row + i for i, code in enumerate(self.codelist.codes_at(level))}
            for leaf in leaves:
                matrix[rows[above[leaf]], position[leaf]] = 1
            row += len(rows)
        return matrix
