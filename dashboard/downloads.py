"""The whole release as one zip, the same bytes each time."""

from __future__ import annotations

import io
import zipfile

from dashboard.release import Release


def release_zip(release: Release) -> bytes:
    """Every listed file, datapackage.json and audit.json."""
    names = ["datapackage.json", "audit.json", *(str(r["path"]) for r in release.package["resources"])]
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            entry = zipfile.ZipInfo(f"release-{release.version}/{name}", (1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, (release.folder / name).read_bytes())
    return buffer.getvalue()
