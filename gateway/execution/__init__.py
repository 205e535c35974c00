"""Runs requests in processes that can be killed, so that deadlines hold and a crash ends one run only."""
