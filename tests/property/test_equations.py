"""The audit's equations without those that say nothing new."""

import numpy as np
import pytest
import scipy.sparse as sp
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from anonymize.audit.feasibility import Contradiction, _independent


@st.composite
def sums(draw):
    """Counts of four to eight unknowns, some sums of them, and sums of those sums; as rows and
    what they come to."""
    width = draw(st.integers(4, 8))
    rows = draw(arrays(np.int64, (draw(st.integers(2, 6)), width), elements=st.integers(0, 1)))
    pairs = draw(st.lists(st.tuples(*[st.integers(0, len(rows) - 1)] * 2), min_size=1, max_size=5))
    rows = np.vstack([rows, *(rows[[a]] + rows[[b]] for a, b in pairs)])
    return rows, rows @ draw(arrays(np.int64, width, elements=st.integers(0, 50)))


@given(sums())
def test_the_rows_that_stay_say_all_that_the_others_do(found):
    rows, values = found
    stay = _independent(sp.csr_matrix(rows), values)
    assert np.linalg.matrix_rank(rows[stay]) == len(stay) == np.linalg.matrix_rank(rows)


@given(sums(), st.integers(1, 3))
def test_a_sum_that_its_parts_contradict_is_no_table_at_all(found, more):
    rows, values = found
    values[-1] += more  # the last row is the sum of two others
    with pytest.raises(Contradiction):
        _independent(sp.csr_matrix(rows), values)
