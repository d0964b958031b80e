"""The same bytes on every machine: built as processors with fewer instructions would, nothing
differs."""

import os
import subprocess
import sys

import numpy as np
import pytest

from tests.benchmark.instances import SHARED
from tests.conftest import ROOT

AVX512 = (
    "X86_V4",
    "AVX512_ICL",
    "AVX512_SPR",
    "AVX512_SKX",
    "AVX512F",
    "AVX512CD",
    "AVX512_CLX",
    "AVX512_CNL",
)
AVX2 = ("X86_V3", "AVX2", "FMA3", "AVX", "F16C")
"""numpy's names for what it may leave out; which of them it knows depends on its version."""
OLDER_LIBM = "glibc.cpu.hwcaps=-AVX2,-FMA,-FMA4,-AVX512F"


def processors():
    """Of each kind of processor what numpy is told to leave out, and what the C library is."""
    known = getattr(np._core._multiarray_umath, "__cpu_dispatch__", [])
    without = [
        " ".join(name for name in names if name in known) for names in (AVX512, AVX512 + AVX2)
    ]
    return {
        "this one": {},
        "no AVX-512": {"NPY_DISABLE_CPU_FEATURES": without[0]},
        "no AVX2": {"NPY_DISABLE_CPU_FEATURES": without[1], "GLIBC_TUNABLES": OLDER_LIBM},
    }


def digests(*asked):
    found = {}
    for name, environment in processors().items():
        command = [sys.executable, "-m", "tests.property.same_bytes", *asked]
        done = subprocess.run(
            command,
            cwd=ROOT,
            env=os.environ | environment,
            check=True,
            capture_output=True,
            text=True,
        )
        found[name] = done.stdout.splitlines()[-1]
    return found


def test_some_features_are_left_out():
    """Otherwise the tests below show nothing."""
    if "x86" not in os.uname().machine:
        pytest.skip("names of features are those of x86 processors")
    assert processors()["no AVX2"]["NPY_DISABLE_CPU_FEATURES"]


def test_small_agencies():
    assert len(set(digests("agencies").values())) == 1


@pytest.mark.skipif(
    not SHARED.is_dir(),
    reason="../shared, with the instances that others were measured on, is not here",
)
def test_a_cube():
    assert len(set(digests("instance", "XS-cube", "5").values())) == 1


@pytest.mark.skipif(
    "SOAK" not in os.environ, reason="three builds of the example city take minutes: make soak"
)
def test_the_example_city(example_exports):
    assert (
        len(set(digests("agencies", str(ROOT / "examples/example_city/agency.toml")).values())) == 1
    )
