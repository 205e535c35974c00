"""The search for circuits on which simulators differ, and the battery that proves an installation."""
