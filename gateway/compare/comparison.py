"""The record of a comparison with what can be done with it: save, merge, compare with an older one, show."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import msgspec

from gateway.compare.consistency import contradiction
from gateway.compare.files import write_text
from gateway.compare.record import FORMAT, Record
from gateway.compare.verdict import verdict_parts
from gateway.errors import RequestError
from gateway.look import numbers

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from gateway.compare.changes import Changes


class Comparison(Record, frozen=True, kw_only=True):
    """The same circuits on several simulators, and what is said of each. It is frozen, and one JSON file.

    ``comparison.verdict`` is one sentence. ``comparison.rows`` has a row for each circuit and simulator, which has its
    ``verdict``, ``p_value``, ``distance``, ``exact_difference``, ``tests`` and ``causes`` (:mod:`.record`).
    """

    @property
    def verdict(self) -> str:
        """The verdict in one sentence."""
        return "".join(verdict_parts(self))

    def save(self, path: str | Path) -> Path:
        """Write the record as JSON, all of it or nothing, and return the path.

        Raises:
            RequestError: the path is that of a folder, or there is no folder for it.
            OSError: the file cannot be written; an older file of that name is then as it was.
        """
        return _write(path, msgspec.json.format(msgspec.json.encode(self), indent=1).decode())

    @classmethod
    def load(cls, path: str | Path) -> Self:
        """Read a record that :meth:`save` wrote, of this version of the format or an older one.

        Raises:
            RequestError: the file is no such record, contradicts itself, or is of a newer version of the format.
            OSError: the file cannot be read.
        """
        return cls.from_json(Path(path).read_bytes(), str(path))

    @classmethod
    def from_json(cls, content: bytes, where: str) -> Self:
        """Return the record in a content that :meth:`save` wrote, or a gateway sent.

        Args:
            content: the content.
            where: where it is from, for errors.

        Raises:
            RequestError: as for :meth:`load`.
        """
        try:
            version = msgspec.json.decode(content, type=_Head).format
            if version > FORMAT:
                raise RequestError(
                    f"{where} has format {version}, and this version reads up to {FORMAT}: install a newer gateway",
                    field="path",
                )
            record = msgspec.json.decode(content, type=cls)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as exc:
            raise RequestError(f"{where} is no record of a comparison: {exc}", field="path") from exc
        if found := contradiction(record):
            raise RequestError(f"{where} contradicts itself: {found}", field="path")
        return record

    @staticmethod
    def schema() -> dict[str, Any]:
        """Return the JSON Schema of the record."""
        return msgspec.json.schema(Comparison)

    def to_csv(self, path: str | Path | None = None) -> str:
        """Return a flat table, one line for each circuit and simulator, and write it to a file if a path is given.

        Raises:
            RequestError, OSError: see :meth:`save`.
        """
        from gateway.compare.presentation.flat_table import csv_table  # noqa: PLC0415 - loaded when it is shown

        text = csv_table(self)
        if path is not None:
            _write(path, text)
        return text

    def merge(self, other: Comparison) -> Comparison:
        """Return both comparisons together: all their circuits, and for a circuit of both all simulators and shots.

        Counts of the same simulator and version are added up; the evidence is tested and decided anew. A run that both
        have, with the same seed and the same counts, is counted once.

        Raises:
            RequestError: what the two say of a circuit contradicts each other.
        """
        if not isinstance(other, Record):
            raise RequestError(f"a comparison is merged with another one, not with {other!r:.100}", field="other")
        from gateway.compare.merging import merged  # noqa: PLC0415 - needs the statistics

        return merged(self, other)

    def against(self, older: Comparison | str | Path) -> Changes:
        """Return what has changed since an older comparison, given as such or as the path of its record.

        Raises:
            RequestError: it is neither, or the file is no record.
            OSError: the file cannot be read.
        """
        if not isinstance(older, Record | str | Path):
            raise RequestError(f"a comparison or the path of its record is older, not {older!r:.100}", field="older")
        from gateway.compare.changes import changes  # noqa: PLC0415 - needs the statistics

        return changes(self, older if isinstance(older, Record) else type(self).load(older))

    def report(self, path: str | Path) -> Path:
        """Write a report, one self-contained page for ``.html`` and ``.htm``, Markdown for ``.md``; return the path.

        Raises:
            RequestError: the name ends otherwise, or no file can have it.
            OSError: the file cannot be written.
        """
        from gateway.compare.presentation.markdown import markdown_report  # noqa: PLC0415 - as above
        from gateway.compare.presentation.report import html_report  # noqa: PLC0415 - as above

        writers = {".html": html_report, ".htm": html_report, ".md": markdown_report}
        writer = writers.get(Path(path).suffix.lower())
        if writer is None:
            raise RequestError(f"a report is named .html or .md, not {Path(path).name!r}", field="path")
        return _write(path, writer(self))

    def plot(self, *, theme: str = "light") -> Figure:
        """Return a figure: histograms side by side, and for several circuits how they scale.

        Raises:
            FrameworkNotInstalled: matplotlib is absent; the message has the line that installs it.
        """
        from gateway.compare.presentation.plotting import plot  # noqa: PLC0415 - as above

        return plot(self, theme=theme)

    def _repr_html_(self) -> str:
        from gateway.compare.presentation.output import notebook  # noqa: PLC0415 - as above

        return notebook(self)

    def __str__(self) -> str:
        return self.verdict

    def __repr__(self) -> str:
        circuits, simulators = len(self.cases), len({row.simulator for row in self.rows})
        on = f"{numbers.several(circuits, 'circuit')} on {numbers.several(simulators, 'simulator')}"
        return f"<Comparison of {on}: {self.verdict}>"


class _Head(msgspec.Struct):
    """The one field that every version of the format has."""

    format: int


def _write(path: str | Path, text: str) -> Path:
    write_text(path, text)
    return Path(path)
