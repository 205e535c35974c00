"""What people see of comparisons: the part of the page, the report, the picture and the table of outcomes.

A million outcomes take seconds to show. They are shown in processes that can be killed
(:mod:`~gateway.door.showing.desk`), never in the one that answers requests.
"""

from __future__ import annotations

from gateway.door.showing.showing import Showing

__all__ = ["Showing"]
