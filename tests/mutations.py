"""`python -m tests.mutations MODULE.py TEST.py ... [--sample N] [--seed N]`: plants N faults in a
module, one at a time in a copy of the checkout, and tells which of them its tests do not see.

A fault is a comparison with its edge moved or turned round, `and` for `or`, a number one larger,
True for False, or a `not` too many. One that no test sees may change nothing that matters: a person
looks at it.
"""

from __future__ import annotations

import argparse
import ast
import copy
import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from tests.conftest import ROOT
from tests.guards import copy_of_the_checkout

SECONDS = 300
OTHER: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}


def spoil(node: ast.AST) -> bool:
    """Change one node in place into another that parses; False where there is nothing to change."""
    if isinstance(node, ast.Compare) and type(node.ops[0]) in OTHER:
        node.ops[0] = OTHER[type(node.ops[0])]()
    elif isinstance(node, ast.BoolOp):
        node.op = ast.Or() if isinstance(node.op, ast.And) else ast.And()
    elif isinstance(node, ast.Constant) and isinstance(node.value, bool):
        node.value = not node.value
    elif isinstance(node, ast.Constant) and isinstance(node.value, int | float):
        node.value += 1
    elif isinstance(node, ast.If | ast.IfExp):
        node.test = ast.UnaryOp(ast.Not(), node.test)
    else:
        return False
    return True


def mutations(source: str) -> Iterator[tuple[int, str, str]]:
    """Each fault that can be planted: its line, that statement with it, and the whole source."""
    tree = ast.parse(source)
    for number, node in enumerate(ast.walk(tree)):
        if not spoil(copy.deepcopy(node)):
            continue
        other = copy.deepcopy(tree)
        place = next(n for i, n in enumerate(ast.walk(other)) if i == number)
        if spoil(place) and isinstance(place, ast.expr | ast.stmt):
            ast.fix_missing_locations(other)
            yield place.lineno, ast.unparse(place).splitlines()[0][:90], ast.unparse(other)


def passes(root: Path, tests: list[str]) -> bool:
    # Without files of bytecode, which could be those of the module before it was changed.
    command = [sys.executable, "-B", "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *tests]
    try:
        done = subprocess.run(command, cwd=root, capture_output=True, timeout=SECONDS)
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("module")
    parser.add_argument("tests", nargs="+")
    parser.add_argument("--sample", type=int, default=10)
    parser.add_argument("--seed", type=int, default=1)
    asked = parser.parse_args()
    source = (ROOT / asked.module).read_text(encoding="utf-8")
    all_of_them = list(mutations(source))
    drawn = random.Random(asked.seed).sample(all_of_them, min(asked.sample, len(all_of_them)))
    seen = 0
    with copy_of_the_checkout() as root:
        if not passes(root, asked.tests):
            sys.exit("the tests do not pass as they are")
        for line, words, text in sorted(drawn):
            (root / asked.module).write_text(text, encoding="utf-8")
            survived = passes(root, asked.tests)
            seen += not survived
            print(
                f"{asked.module}:{line}: {'NOT SEEN' if survived else 'seen'}: {words}", flush=True
            )
    print(f"{seen} of {len(drawn)} seen, of {len(all_of_them)} that can be planted")


if __name__ == "__main__":
    main()
