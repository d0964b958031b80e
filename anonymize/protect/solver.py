"""The one place that hands a sparse program to HiGHS: one thread, fixed seed, no output. A
time-out is never an answer."""

from __future__ import annotations

from dataclasses import dataclass

import highspy
import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from anonymize.errors import ProtectionError

Floats = npt.NDArray[np.float64]
INFINITY = highspy.kHighsInf
SOLVER_SECONDS = 600.0
"""For one solve. After this the build stops and writes nothing."""


@dataclass(frozen=True)
class Program:
    """minimise cost @ x with low <= x <= high and row_low <= matrix @ x <= row_high."""

    matrix: sp.csr_matrix
    cost: Floats
    low: Floats
    high: Floats
    row_low: Floats
    row_high: Floats

    def only(self, columns: sp.csc_matrix, part: npt.NDArray[np.int64]) -> Program:
        """The program with some of its columns (`columns`: its matrix by columns); the others stay
        at 0."""
        return Program(
            columns[:, part].tocsr(),
            self.cost[part],
            self.low[part],
            self.high[part],
            self.row_low,
            self.row_high,
        )


def load(program: Program, **options: bool | int | float | str) -> highspy.Highs:
    """A solver that holds `program`; `options` are HiGHS options by name."""
    matrix = program.matrix.tocsr()
    rows, columns = matrix.shape
    highs = highspy.Highs()
    highs.setOptionValue("output_flag", False)
    for name, value in ({"threads": 1, "random_seed": 0} | options).items():
        highs.setOptionValue(name, value)
    highs.passModel(
        columns,
        rows,
        matrix.nnz,
        int(highspy.MatrixFormat.kRowwise),
        int(highspy.ObjSense.kMinimize),
        0.0,
        program.cost,
        program.low,
        program.high,
        program.row_low,
        program.row_high,
        matrix.indptr[:-1],
        matrix.indices,
        matrix.data.astype(float),
        np.zeros(columns, dtype=np.int32),
    )
    return highs


def run(highs: highspy.Highs) -> highspy.HighsModelStatus:
    """Solve. Returns Optimal, Infeasible, a limit that the caller set, or Unknown with a point
    that keeps every bound (`feasible`).

    Raises ProtectionError on anything else.
    """
    highs.setOptionValue("time_limit", highs.getRunTime() + SOLVER_SECONDS)
    highs.run()
    status = highs.getModelStatus()
    known = (
        highspy.HighsModelStatus.kOptimal,
        highspy.HighsModelStatus.kInfeasible,
        highspy.HighsModelStatus.kIterationLimit,
        highspy.HighsModelStatus.kSolutionLimit,
    )
    if status not in known and not (
        status == highspy.HighsModelStatus.kUnknown and feasible(highs)
    ):
        raise ProtectionError(
            f"the solver stopped without an answer ({highs.modelStatusToString(status)}); nothing "
            "was written"
        )
    return status


def feasible(highs: highspy.Highs) -> bool:
    """After a run: is there a point that keeps every bound, whether or not it was proven best?

    An interior-point method that stops slightly above its tolerance calls the status unknown; the
    point is as good a move as any.
    """
    return bool(
        highs.getInfo().primal_solution_status == highspy.SolutionStatus.kSolutionStatusFeasible
    )


def point(highs: highspy.Highs) -> Floats:
    return np.asarray(highs.getSolution().col_value)


def row_duals(highs: highspy.Highs) -> Floats:
    return np.asarray(highs.getSolution().row_dual)
