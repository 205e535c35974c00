"""Runs work in killable processes: deadlines, crash isolation, one simulator import per worker."""
