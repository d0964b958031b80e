"""Reading a file on a web server by parts, as DuckDB and Arrow do."""

from __future__ import annotations

import io
import urllib.request


class RangeFile(io.RawIOBase):
    """A file behind an address. Keeps what was asked for: (first byte, last byte) of each request;
    each must be answered with just that part."""

    def __init__(self, address: str) -> None:
        self.address, self.at = address, 0
        self.asked: list[tuple[int, int]] = []
        with urllib.request.urlopen(
            urllib.request.Request(address, method="HEAD"), timeout=10
        ) as answer:
            assert answer.headers["accept-ranges"] == "bytes"
            self.size = int(answer.headers["content-length"])

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self.at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self.at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self.at, io.SEEK_END: self.size}[whence]
        return self.at

    def read(self, size: int = -1) -> bytes:
        last = self.size - 1 if size < 0 else min(self.size, self.at + size) - 1
        if last < self.at:
            return b""
        self.asked.append((self.at, last))
        asked = urllib.request.Request(self.address, headers={"Range": f"bytes={self.at}-{last}"})
        with urllib.request.urlopen(asked, timeout=10) as answer:
            assert answer.status == 206
            assert answer.headers["content-range"] == f"bytes {self.at}-{last}/{self.size}"
            data: bytes = answer.read()
        assert len(data) == last - self.at + 1
        self.at = last + 1
        return data

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    @property
    def fetched(self) -> int:
        return sum(last - first + 1 for first, last in self.asked)
