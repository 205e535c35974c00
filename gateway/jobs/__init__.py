"""Durable job records, and what takes them up."""
