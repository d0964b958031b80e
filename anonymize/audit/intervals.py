"""Feasibility intervals: what every withheld cell could be, given all equations at once.

A cell is settled by whole-number points found on the way (each point tells something about every
withheld cell of its component); only what is left is solved, component by component, with HiGHS. A
linear bound that already breaks the promise is proof of a leak; a whole-number point is proof of
safety; a fractional solution proves nothing and is solved again over whole numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import highspy
import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from scipy.sparse.csgraph import connected_components

from anonymize.audit.space import Equations
from anonymize.errors import AuditError

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

TOLERANCE = 1e-6
SOLVER_SECONDS = 120.0
"""For one solve. A time-out is a failure of the audit, never a pass."""


@dataclass(frozen=True)
class Verdict:
    """`low` and `high`: the widest whole-number values proven possible; `bound_low`: the proven least."""

    low: int
    high: int
    bound_low: int
    safe: bool
    reason: str


class Contradiction(Exception):
    """No whole-number table fits what the release publishes."""


def judge(equations: Equations, threshold: int, tick: Callable[[int, int], None] = lambda done, total: None) -> list[Verdict]:
    """One verdict per hidden cell, in the order of `equations.hidden_cells`.

    A cell is safe when it spans 1..threshold-1 (lowest <= 1, highest >= threshold-1), or when the public
    files themselves prove it to be at least `threshold` and leave more than one value open. Raises Contradiction, and AuditError on a solver time-out.
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
    """Equations over fewer columns. `constant`: what the columns left out add to each hidden cell."""

    fixed: sp.csr_matrix
    values: Ints
    ranges: sp.csr_matrix
    low: Floats
    high: Floats
    hidden: sp.csr_matrix
    constant: Ints
    rows: Ints


def _reduce(eq: Equations) -> _Part:
    """Fix what single rows decide, drop it, and merge columns that no row tells apart (all exact)."""
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
        fixed[:, chosen].tocsr(), rest[keep], ranges[:, chosen].tocsr(), eq.low - shift, eq.high - shift,
        hidden[:, chosen].tocsr(), constant, np.arange(hidden.shape[0]),
    )  # fmt: skip


def _distinct_columns(matrix: sp.csc_matrix) -> Ints:
    """One of each group of equal columns: their sum is again a whole number that is not negative."""
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
        found.append(_Part(
            part.fixed[fixed][:, column_ids], part.values[fixed],
            part.ranges[ranges][:, column_ids], part.low[ranges], part.high[ranges],
            part.hidden[hidden][:, column_ids], part.constant[hidden], part.rows[hidden],
        ))  # fmt: skip
    return found


class _Model:
    """One component in HiGHS, kept alive between solves; only the objective changes.

    Every unknown is capped (`cap`) far above anything published anywhere, not only in this component, whose sums may be
    small differences of large counts. Narrower intervals than the truth can only make the audit stricter.
    """

    def __init__(self, part: _Part, cap: int) -> None:
        self.part = part
        columns = part.hidden.shape[1]
        matrix = sp.vstack([part.fixed, part.ranges]).tocsr()
        lp = highspy.HighsLp()
        lp.num_col_, lp.num_row_ = columns, matrix.shape[0]
        lp.col_cost_ = np.zeros(columns)
        lp.col_lower_, lp.col_upper_ = np.zeros(columns), np.full(columns, float(cap))
        lp.row_lower_ = np.concatenate([part.values, part.low])
        lp.row_upper_ = np.concatenate([part.values, part.high])
        lp.a_matrix_.format_ = highspy.MatrixFormat.kRowwise
        lp.a_matrix_.start_, lp.a_matrix_.index_, lp.a_matrix_.value_ = matrix.indptr, matrix.indices, matrix.data
        self.columns = np.arange(columns, dtype=np.int32)
        self.highs = highspy.Highs()
        self.highs.setOptionValue("output_flag", False)
        for option, value in (("threads", 1), ("random_seed", 0), ("time_limit", SOLVER_SECONDS), ("simplex_strategy", 4)):
            self.highs.setOptionValue(option, value)
        self.lp = lp
        self.highs.passModel(lp)

    def solve(self, costs: Floats, *, whole: bool = False) -> tuple[Floats, float]:
        """Minimise; returns the point and its objective (for `whole`, a proven bound on it)."""
        self.highs.changeColsIntegrality(
            len(self.columns), self.columns,
            np.full(len(self.columns), highspy.HighsVarType.kInteger if whole else highspy.HighsVarType.kContinuous),
        ) if whole else None  # fmt: skip
        self.highs.changeColsCost(len(self.columns), self.columns, costs)
        self.highs.setOptionValue("time_limit", self.highs.getRunTime() + SOLVER_SECONDS)
        self.highs.run()
        status = self.highs.getModelStatus()
        point = np.asarray(self.highs.getSolution().col_value)
        objective = self.highs.getInfo().mip_dual_bound if whole else self.highs.getInfo().objective_function_value
        if whole:
            self.highs.changeColsIntegrality(len(self.columns), self.columns, np.full(len(self.columns), highspy.HighsVarType.kContinuous))
        if status == highspy.HighsModelStatus.kInfeasible:
            raise Contradiction
        if status != highspy.HighsModelStatus.kOptimal:
            raise AuditError(f"the solver stopped without an answer ({self.highs.modelStatusToString(status)}); the promise is not proven")
        return point, objective

    def whole_point(self, point: Floats) -> Ints | None:
        """`point` rounded, when the rounded point satisfies every row exactly."""
        rounded = np.rint(point).astype(np.int64)
        if rounded.min(initial=0) < 0 or np.any(self.part.fixed @ rounded != self.part.values):
            return None
        inside = self.part.ranges @ rounded
        if np.any(inside < self.part.low - TOLERANCE) or np.any(inside > self.part.high + TOLERANCE):
            return None
        return rounded


def _solve(part: _Part, threshold: int, cap: int) -> list[tuple[int, Verdict]]:
    number = part.hidden.shape[0]
    if part.hidden.shape[1] == 0:  # everything behind these cells is known
        known = [int(value) for value in part.constant]
        return [(int(row), Verdict(v, v, v, False, "pinned")) for row, v in zip(part.rows, known, strict=True)]
    model = _Model(part, cap)
    dense = [np.asarray(part.hidden[i].toarray()).ravel() for i in range(number)] if number <= 64 else None
    low, high = np.full(number, np.iinfo(np.int64).max), np.full(number, -1, dtype=np.int64)
    bound_low, bound_high = np.zeros(number), np.full(number, np.inf)

    def note(point: Ints) -> None:
        reached = (part.hidden @ point).astype(np.int64) + part.constant
        np.minimum(low, reached, out=low)
        np.maximum(high, reached, out=high)

    def push(row: int, sign: float) -> None:
        """Drive one hidden cell down (sign 1) or up (-1): a proven bound, and a point where there is one."""
        costs = sign * (dense[row] if dense else np.asarray(part.hidden[row].toarray()).ravel())
        point, objective = model.solve(costs)
        bound = sign * objective + part.constant[row]
        found = model.whole_point(point)
        if found is None:
            enough = bound <= 1 + TOLERANCE if sign > 0 else bound >= threshold - 1 - TOLERANCE
            if enough or sign > 0:  # a bound that already breaks the promise needs no point
                point, objective = model.solve(costs, whole=True)
                bound = sign * objective + part.constant[row]
                found = model.whole_point(point)
                if found is None:
                    raise AuditError("the solver's whole-number answer does not fit its own equations; the promise is not proven")
        if found is not None:
            note(found)
        if sign > 0:
            bound_low[row] = max(bound_low[row], bound)
        else:
            bound_high[row] = min(bound_high[row], bound)

    for row in np.argsort(-part.constant, kind="stable"):
        if high[row] < threshold - 1:
            push(int(row), -1.0)
        if low[row] > 1:
            push(int(row), 1.0)
    verdicts = []
    for row in range(number):
        least = int(np.ceil(bound_low[row] - TOLERANCE))
        spans = low[row] <= 1 and high[row] >= threshold - 1
        if not spans and least >= threshold and low[row] == high[row]:
            push(row, -1.0)  # not yet seen at two values
        open_values = high[row] > low[row]
        safe = bool(spans or (least >= threshold and open_values))
        reason = "" if safe else "pinned" if bound_high[row] - bound_low[row] < 1 - TOLERANCE or not open_values else "narrow"
        verdicts.append((int(part.rows[row]), Verdict(int(low[row]), int(high[row]), least, safe, reason)))
    return verdicts
