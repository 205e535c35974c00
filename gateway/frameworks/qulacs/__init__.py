"""Qulacs: its circuits in and out."""
