"""How things look, in a notebook, a report, a terminal or a plot: numbers, bitstrings, colours and bars."""
