"""The package's dependencies, for its build (`[tool.hatch.metadata.hooks.custom]` in
pyproject.toml).

They are the exact versions of requirements.txt and requirements-build.txt, which stay the one place
where a dependency is named.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

FILES = ("requirements.txt", "requirements-build.txt")


def dependencies(root: Path) -> list[str]:
    """The requirements in `FILES` without comments and without lines that name another file."""
    lines = [line for name in FILES for line in (root / name).read_text("utf-8").splitlines()]
    wanted = [line.partition("#")[0].strip() for line in lines]
    return [line for line in wanted if line and not line.startswith("-")]


class Dependencies(MetadataHookInterface):
    def update(self, metadata: dict[str, Any]) -> None:
        metadata["dependencies"] = dependencies(Path(self.root))
