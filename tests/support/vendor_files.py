"""A vendor whose jobs are files, so that several processes see them, as with a cloud."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass
from pathlib import Path

from support.sdk import FakeVendor

from gateway.backends.vendor_job import Reading
from gateway.errors import JobNotFound
from gateway.results import JobState


@dataclass(frozen=True)
class FileRun:
    """A job, whose file holds its state."""

    file: Path
    hangs_in: int

    @property
    def id(self) -> str:
        return self.file.name

    def state(self) -> JobState:
        if self.file.read_text() == "submitted":
            self.file.write_text("queued")  # the submitter has gone on since
        if self.hangs_in == os.getpid():
            time.sleep(600)
        return JobState(self.file.read_text())

    def readings(self) -> list[Reading]:
        raise ConnectionResetError("the vendor hung up")

    def cancel(self) -> None:
        self.file.write_text("cancelled")


class VendorOfFiles(FakeVendor):
    """Queues every job for ever.

    Args:
        folder: has a file for each job.
        hangs: whether the vendor stops answering whoever has submitted a job.
    """

    def __init__(self, folder: Path, *, hangs: bool = False) -> None:
        super().__init__()
        self.folder = folder
        self.hangs = hangs

    def submit(self, natives, *, shots, seed):
        file = self.folder / f"job{len(list(self.folder.iterdir()))}-{os.getpid()}"
        file.write_text("submitted")
        return FileRun(file, os.getpid() if self.hangs else 0)

    def find(self, vendor_id):
        if not (self.folder / vendor_id).exists():
            raise JobNotFound(f"no job {vendor_id}", job=vendor_id)
        return FileRun(self.folder / vendor_id, 0)

    def states(self) -> list[str]:
        return [file.read_text() for file in sorted(self.folder.iterdir())]

    def submitters(self) -> list[int]:
        """Return the processes that have submitted jobs."""
        return [int(file.name.partition("-")[2]) for file in sorted(self.folder.iterdir())]
