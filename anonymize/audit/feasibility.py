"""Feasibility intervals: what every withheld cell could be, given all equations at once.

A cell is settled by whole-number points (each point says something about every withheld cell of
its component). First come points that take many cells far enough at once; only what is left is
solved cell by cell, component by component, with HiGHS. A linear bound that already breaks the
promise proves a leak, one at the threshold or above proves a large count; a whole-number point
proves safety, however it was found; a fractional solution proves nothing and is solved again over
whole numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import highspy
import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from scipy.sparse.csgraph import connected_components

from anonymize.audit.equations import Equations
from anonymize.errors import AuditError

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

TOLERANCE = 1e-6
SOLVER_SECONDS = 120.0
"""For one solve. A time-out is a failure of the audit, never a pass."""
FEW = 8
"""When no more cells than this are left, they are sought one by one."""
SHARE = 0.3
"""A point for many cells that settles less than this share of them is the last: one by one is
quicker then, each from where the last one ended."""
NEAR = 0.05
"""Near enough to the best point for many cells."""
OTHERS_WEIGHT = 1e-3
"""What the other cells count for, next to the one sought."""
PRIME = 2**31 - 1
DENSE = 3 * 10**7
"""Rows times columns, above which dependent rows are not looked for."""


@dataclass(frozen=True)
class Verdict:
    """`low` and `high`: the widest whole-number values proven possible; `bound_low`: the proven
    lower bound."""

    low: int
    high: int
    bound_low: int
    safe: bool
    reason: str


class Contradiction(Exception):
    """No whole-number table fits what the release publishes."""


def judge(
    equations: Equations,
    threshold: int,
    tick: Callable[[int, int], None] = lambda done, total: None,
) -> list[Verdict]:
    """One verdict for each hidden cell, in the order of `equations.hidden_cells`.

    A cell is safe when it spans 1..threshold-1 (lowest <= 1, highest >= threshold-1), or when the
    public files themselves prove it to be at least `threshold` and leave more than one value open.
    Raises Contradiction, and AuditError on a solver time-out.
    """
    reduced = _reduce(equations)
    verdicts: list[Verdict | None] = [None] * len(equations.hidden_cells)
    done, cap = 0, 2 * int(equations.values.max(initial=0)) + 100 * threshold
    for component in _components(reduced):
        for row, verdict in _solve(component, threshold, cap):
            verdicts[row] = verdict
            done += 1
            tick(done, len(verdicts))
    return [v if v is not None else Verdict(0, 0, 0, False, "pinned") for v in verdicts]


@dataclass(frozen=True)
class _Part:
    """Equations over fewer columns. `constant`: what other columns add to each hidden cell."""

    fixed: sp.csr_matrix
    values: Ints
    ranges: sp.csr_matrix
    low: Floats
    high: Floats
    hidden: sp.csr_matrix
    constant: Ints
    rows: Ints


def _reduce(eq: Equations) -> _Part:
    """Fix what single rows decide, drop it, and merge columns that no row distinguishes (all
    exact)."""
    fixed, values = eq.fixed.tocsr(), eq.values.astype(np.int64).copy()
    count = fixed.shape[1]
    known = np.full(count, -1, dtype=np.int64)
    nonnegative = np.asarray((fixed.multiply(fixed < 0)).sum(axis=1)).ravel() == 0
    while True:
        open_columns = known < 0
        rest = values - (fixed[:, ~open_columns] @ known[~open_columns]).astype(np.int64)
        part = fixed[:, open_columns]
        sizes = np.diff(part.indptr)
        if np.any((sizes == 0) & (rest != 0)) or np.any(nonnegative & (rest < 0)):
            raise Contradiction
        positions = np.flatnonzero(open_columns)
        settled: dict[int, int] = {}
        for row in np.flatnonzero((sizes > 0) & nonnegative & (rest == 0)):
            for column in part.indices[part.indptr[row] : part.indptr[row + 1]]:
                settled[int(positions[column])] = 0
        for row in np.flatnonzero(sizes == 1):
            column = int(positions[part.indices[part.indptr[row]]])
            value = rest[row] / part.data[part.indptr[row]]
            if value < 0 or value != int(value) or settled.get(column, int(value)) != int(value):
                raise Contradiction
            settled[column] = int(value)
        if not settled:
            break
        known[list(settled)] = list(settled.values())
    keep = sizes > 0
    hidden = eq.hidden.tocsr()
    ranges = eq.ranges.tocsr()
    constant = (hidden[:, ~open_columns] @ known[~open_columns]).astype(np.int64)
    shift = ranges[:, ~open_columns] @ known[~open_columns] if ranges.shape[0] else np.zeros(0)
    fixed, hidden, ranges = part[keep], hidden[:, open_columns], ranges[:, open_columns]
    stacked = sp.vstack([fixed, ranges, hidden]).tocsc()
    chosen = _distinct_columns(stacked)
    return _Part(
        fixed[:, chosen].tocsr(),
        rest[keep],
        ranges[:, chosen].tocsr(),
        eq.low - shift,
        eq.high - shift,
        hidden[:, chosen].tocsr(),
        constant,
        np.arange(hidden.shape[0]),
    )


def _distinct_columns(matrix: sp.csc_matrix) -> Ints:
    """One of each group of equal columns: their sum is a whole number that is not negative."""
    matrix.sort_indices()
    seen: dict[bytes, int] = {}
    for column in range(matrix.shape[1]):
        span = slice(matrix.indptr[column], matrix.indptr[column + 1])
        seen.setdefault(matrix.indices[span].tobytes() + matrix.data[span].tobytes(), column)
    return np.array(list(seen.values()), dtype=np.int64)


def _components(part: _Part) -> list[_Part]:
    """The parts that share no column; the smallest first."""
    stacked = sp.vstack([part.fixed, part.ranges, part.hidden]).tocsr()
    rows = stacked.shape[0]
    graph = sp.bmat([[None, abs(stacked)], [abs(stacked).T, None]])
    number, labels = connected_components(graph, directed=False)
    a, b = part.fixed.shape[0], part.fixed.shape[0] + part.ranges.shape[0]
    order = [np.flatnonzero(labels == label) for label in range(number)]
    found = []
    for members in sorted(order, key=len):
        row_ids, column_ids = members[members < rows], members[members >= rows] - rows
        hidden = row_ids[row_ids >= b] - b
        if not len(hidden):
            continue
        fixed, ranges = row_ids[row_ids < a], row_ids[(row_ids >= a) & (row_ids < b)] - a
        found.append(
            _Part(
                part.fixed[fixed][:, column_ids],
                part.values[fixed],
                part.ranges[ranges][:, column_ids],
                part.low[ranges],
                part.high[ranges],
                part.hidden[hidden][:, column_ids],
                part.constant[hidden],
                part.rows[hidden],
            )
        )
    return found


def _independent(rows: sp.csr_matrix, values: Ints) -> Ints:
    """Rows from which all others follow, the shortest first. A published total adds nothing to its
    published parts, and costs the solver most.

    By Gaussian elimination modulo a prime. Were it to leave out too much, bounds would be wider
    and still hold, and a point counts only where it satisfies every row (`whole_point`). Raises
    Contradiction where a row that follows from others has another value than they give it.
    """
    if rows.shape[0] * rows.shape[1] > DENSE:
        return np.arange(rows.shape[0])
    order = np.argsort(np.diff(rows.indptr), kind="stable")
    left = np.hstack([rows[order].toarray().astype(np.int64), values[order, None]]) % PRIME
    chosen = []
    for i in range(len(left)):
        columns = np.flatnonzero(left[i])
        if len(columns) and columns[0] == rows.shape[1]:
            raise Contradiction
        if len(columns):
            chosen.append(order[i])
            pivot = left[i] * pow(int(left[i, columns[0]]), -1, PRIME) % PRIME
            hit = i + 1 + np.flatnonzero(left[i + 1 :, columns[0]])
            left[hit] = (left[hit] - left[hit, columns[0], None] * pivot) % PRIME
    return np.sort(np.array(chosen, dtype=np.int64))


class _Model:
    """One component in HiGHS: over fractions and over whole numbers, each kept alive between
    solves; only the objective changes.

    Every unknown is capped (`cap`) far above anything published anywhere, not only in this
    component, whose sums may be small differences of large counts. Narrower intervals than the
    truth can only make the audit stricter.
    """

    def __init__(self, part: _Part, cap: int) -> None:
        self.part, self.cap = part, cap
        rows = _independent(part.fixed, part.values)
        self.matrix = sp.vstack([part.fixed[rows], part.ranges]).tocsr()
        self.low, self.high = (
            np.concatenate([part.values[rows], part.low]),
            np.concatenate([part.values[rows], part.high]),
        )
        self.width = self.matrix.shape[1]
        self._solvers: dict[bool, highspy.Highs] = {}

    def _load(
        self,
        matrix: sp.csr_matrix,
        row_low: Floats,
        row_high: Floats,
        whole: bool,
        **options: int | float,
    ) -> highspy.Highs:
        """A solver for `matrix`, whose columns after the unknowns are fractions and at least 0."""
        lp = highspy.HighsLp()
        lp.num_row_, lp.num_col_ = matrix.shape
        more = lp.num_col_ - self.width
        lp.col_cost_, lp.col_lower_ = np.zeros(lp.num_col_), np.zeros(lp.num_col_)
        lp.col_upper_ = np.concatenate(
            [np.full(self.width, float(self.cap)), np.full(more, highspy.kHighsInf)]
        )
        lp.row_lower_, lp.row_upper_ = row_low, row_high
        lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
        lp.a_matrix_.start_, lp.a_matrix_.index_, lp.a_matrix_.value_ = (
            matrix.indptr,
            matrix.indices,
            matrix.data,
        )
        if whole:
            lp.integrality_ = [highspy.HighsVarType.kInteger] * self.width + [
                highspy.HighsVarType.kContinuous
            ] * more
        highs = highspy.Highs()
        highs.setOptionValue("output_flag", False)
        for option, value in (
            {"threads": 1, "random_seed": 0, "simplex_strategy": 4} | options
        ).items():
            highs.setOptionValue(option, value)
        highs.passModel(lp)
        return highs

    def solve(self, costs: Floats, *, whole: bool = False) -> tuple[Floats, float]:
        """Minimise; returns the point and its objective (for `whole`, a proven bound on it)."""
        if whole not in self._solvers:
            self._solvers[whole] = self._load(self.matrix, self.low, self.high, whole)
        highs = self._solvers[whole]
        highs.changeColsCost(self.width, np.arange(self.width, dtype=np.int32), costs)
        highs.setOptionValue("time_limit", highs.getRunTime() + SOLVER_SECONDS)
        highs.run()
        status = highs.getModelStatus()
        if status == highspy.HighsModelStatus.kInfeasible:
            raise Contradiction
        if status != highspy.HighsModelStatus.kOptimal:
            raise AuditError(
                f"the solver stopped without an answer ({highs.modelStatusToString(status)}); the "
                "promise is not proven"
            )
        info = highs.getInfo()
        return np.asarray(highs.getSolution().col_value), (
            info.mip_dual_bound if whole else info.objective_function_value
        )

    def many(self, rows: Ints, rewards: Floats, goal: int, *, up: bool) -> Ints | None:
        """A whole-number point at which many of the hidden cells `rows` are at least (`up`) or at
        most `goal`; None where none is found soon.

        The search ends by nodes, not by the clock, so that two runs find the same.
        """
        count, most = len(rows), np.full(len(rows), highspy.kHighsInf)
        short = sp.identity(count) * (1.0 if up else -1.0)
        matrix = sp.bmat([[self.matrix, None], [self.part.hidden[rows], short]]).tocsr()
        goals = float(goal) - self.part.constant[rows]
        row_low, row_high = (
            np.concatenate([self.low, goals if up else -most]),
            np.concatenate([self.high, most if up else goals]),
        )
        highs = self._load(matrix, row_low, row_high, True, mip_max_nodes=1, mip_rel_gap=NEAR)
        highs.changeColsCost(
            count, np.arange(self.width, self.width + count, dtype=np.int32), rewards
        )
        highs.setOptionValue("time_limit", SOLVER_SECONDS)
        highs.run()
        found = np.asarray(highs.getSolution().col_value)
        return self.whole_point(found[: self.width]) if len(found) else None

    def whole_point(self, point: Floats) -> Ints | None:
        """`point` rounded, when the rounded point satisfies every row exactly; otherwise None."""
        rounded = np.rint(point).astype(np.int64)
        if rounded.min(initial=0) < 0 or np.any(self.part.fixed @ rounded != self.part.values):
            return None
        inside = self.part.ranges @ rounded
        if np.any(inside < self.part.low - TOLERANCE) or np.any(
            inside > self.part.high + TOLERANCE
        ):
            return None
        return rounded

    def whole_parts(self, where: Floats, point: Ints) -> Ints | None:
        """From the whole-number `point` towards `where`: of the changes that share no equation,
        those that are whole themselves."""
        change = where - point
        moved = np.flatnonzero(np.abs(change) > TOLERANCE)
        rows = self.matrix[:, moved]
        label = connected_components(
            sp.bmat([[None, abs(rows)], [abs(rows).T, None]]), directed=False
        )[1][rows.shape[0] :]
        broken = np.unique(label[np.abs(change[moved] - np.rint(change[moved])) > TOLERANCE])
        kept = moved[~np.isin(label, broken)]
        found = point.copy()
        found[kept] += np.rint(change[kept]).astype(np.int64)
        return self.whole_point(found.astype(float)) if len(kept) else None


def _solve(part: _Part, threshold: int, cap: int) -> list[tuple[int, Verdict]]:
    if part.hidden.shape[1] == 0:  # everything behind these cells is known
        known = [int(value) for value in part.constant]
        return [
            (int(row), Verdict(v, v, v, False, "pinned"))
            for row, v in zip(part.rows, known, strict=True)
        ]
    seen = _CellSearch(part, threshold, cap)
    seen.sweep()
    for row in np.argsort(-part.constant, kind="stable").tolist():
        for up in (True, False):
            if seen.open(up=up)[row]:
                seen.push(row, up=up)
    return [(int(part.rows[row]), seen.verdict(row)) for row in range(len(part.rows))]


class _CellSearch:
    """What is known about each hidden cell of one component: whole-number values that it can have,
    and proven bounds."""

    def __init__(self, part: _Part, threshold: int, cap: int) -> None:
        self.part, self.threshold, self.model = part, threshold, _Model(part, cap)
        number = part.hidden.shape[0]
        self.low, self.high = (
            np.full(number, np.iinfo(np.int64).max),
            np.full(number, -1, dtype=np.int64),
        )
        self.bound_low, self.bound_high = np.zeros(number), np.full(number, np.inf)
        self.point: Ints | None = None

    def open(self, *, up: bool) -> npt.NDArray[np.bool_]:
        """The cells not yet seen at threshold - 1 or more (`up`), or at 1 or less."""
        return np.asarray(self.high < self.threshold - 1 if up else self.low > 1)

    def sweep(self) -> None:
        """Find points that settle many cells at once, while they do; up and down side by side."""
        ways = [True, False]

        def left(up: bool) -> int:
            return int(np.count_nonzero(self.open(up=up)))

        with ThreadPoolExecutor(len(ways)) as pool:
            while ways := [up for up in ways if left(up) > FEW]:
                before = {up: left(up) for up in ways}
                points = list(
                    pool.map(self._many, ways)
                )  # all before any is noted, so that two runs find the same
                for point in points:
                    self._note(point)
                ways = [up for up in ways if before[up] - left(up) >= SHARE * before[up]]

    def _many(self, up: bool, row: int | None = None) -> Ints | None:
        """A point for the cells that are open, `row` above all. Random rewards, so that cells do
        not hinder each other, nor twice in the same way."""
        left = np.flatnonzero(self.open(up=up))
        rewards = 1 + np.random.default_rng(len(left)).random(len(left))
        if row is not None:
            rewards = np.where(left == row, 1.0, OTHERS_WEIGHT * rewards)
        return self.model.many(left, rewards, self.threshold - 1 if up else 1, up=up)

    def push(self, row: int, *, up: bool, point: bool = False) -> None:
        """Drive one hidden cell up or down: a proven bound, and a point where the bound does not
        settle the question (or `point` asks for one)."""
        sign = -1.0 if up else 1.0
        costs = sign * np.asarray(self.part.hidden[row].toarray()).ravel()
        where, objective = self.model.solve(costs)
        bound = sign * objective + self.part.constant[row]
        found = self.model.whole_point(where)
        # Going up, a bound below threshold - 1 is a leak already; going down, one at the threshold
        # shows a large count.
        settled = (
            bound < self.threshold - 1 - TOLERANCE if up else bound >= self.threshold - TOLERANCE
        )
        if found is None and self.point is not None:
            self._note(self.model.whole_parts(where, self.point))
            settled = settled or not self.open(up=up)[row]
        if found is None and not settled and not point:
            self._note(self._many(up, row))
            settled = not self.open(up=up)[row]
        if found is None and (point or not settled):
            where, objective = self.model.solve(costs, whole=True)
            bound = sign * objective + self.part.constant[row]
            found = self.model.whole_point(where)
            if found is None:
                raise AuditError(
                    "the solver's whole-number answer does not fit its own equations; the promise "
                    "is not proven"
                )
        self._note(found)
        if up:
            self.bound_high[row] = min(self.bound_high[row], bound)
        else:
            self.bound_low[row] = max(self.bound_low[row], bound)

    def verdict(self, row: int) -> Verdict:
        least = int(np.ceil(self.bound_low[row] - TOLERANCE))
        spans = bool(self.low[row] <= 1 and self.high[row] >= self.threshold - 1)
        for up in (True, False):
            if least >= self.threshold and self.high[row] <= self.low[row]:
                self.push(row, up=up, point=True)  # a large count, not yet seen at two values
        open_values = bool(self.high[row] > self.low[row])
        safe = spans or (least >= self.threshold and open_values)
        reason = (
            ""
            if safe
            else (
                "pinned"
                if self.bound_high[row] - self.bound_low[row] < 1 - TOLERANCE or not open_values
                else "narrow"
            )
        )
        return Verdict(int(self.low[row]), int(self.high[row]), least, safe, reason)

    def _note(self, point: Ints | None) -> None:
        if point is not None:
            self.point = point
            reached = (self.part.hidden @ point).astype(np.int64) + self.part.constant
            np.minimum(self.low, reached, out=self.low)
            np.maximum(self.high, reached, out=self.high)
