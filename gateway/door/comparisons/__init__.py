"""Durable comparisons: each is kept in a file of the door's, and runs in a process of its own that may be killed."""
