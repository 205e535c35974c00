"""What :func:`gateway.compare.hunt` returns."""

from __future__ import annotations

from pathlib import Path

import msgspec

from gateway.compare.files import write_text
from gateway.compare.hunting import report_text
from gateway.compare.hunting.hunt_record import FORMAT, HuntRecord
from gateway.errors import RequestError


class HuntReport(HuntRecord, frozen=True, kw_only=True):
    """The report of a hunt, which is saved, loaded, and shown as text, as Markdown and in notebooks."""

    def save(self, path: str | Path) -> None:
        """Write the report as JSON, all or nothing.

        Raises:
            RequestError: the path is that of a folder, or there is no folder for it.
            OSError: the file cannot be written; an older file of that name is then as it was.
        """
        write_text(path, msgspec.json.format(msgspec.json.encode(self), indent=1).decode())

    @classmethod
    def load(cls, path: str | Path) -> HuntReport:
        """Read a report that was saved.

        Raises:
            RequestError: the file cannot be read, is none of a report, or was written by a newer version.
        """
        try:
            data = Path(path).read_bytes()
            version = msgspec.json.decode(data, type=_Format).format
            if version > FORMAT:
                raise RequestError(f"{path} has format {version}, and this version reads up to {FORMAT}", field="path")
            return msgspec.json.decode(data, type=cls)
        except (OSError, msgspec.MsgspecError) as exc:
            raise RequestError(f"{path} is no report of a hunt: {exc}", field="path") from exc

    def to_markdown(self) -> str:
        """Return the report in Markdown: each finding with its circuit."""
        return report_text.to_markdown(self)

    def _repr_html_(self) -> str:
        return report_text.to_html(self)

    def __str__(self) -> str:
        return report_text.to_text(self)

    __repr__ = __str__


class _Format(msgspec.Struct):
    format: int = FORMAT
