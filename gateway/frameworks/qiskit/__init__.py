"""Qiskit: its circuits in and out, and our simulators as a backend inside it."""
