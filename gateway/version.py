"""The version of this package, in one place that imports nothing."""

__version__ = "0.1.0"
PROTOCOL = "1"
"""Major version of the wire protocol; the path prefix is ``/v1``."""
