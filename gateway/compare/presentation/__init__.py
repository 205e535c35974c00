"""What a person sees of a comparison: a report as HTML or Markdown, a notebook's output, plots, and a flat table.

All are functions of a :class:`~gateway.compare.record.Record`. What is shown is decided once, as plain data
(``matrix``, ``pairs``, ``scaling``, ``tables``, ``words``), and then drawn by each medium.
"""
