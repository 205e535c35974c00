"""Decides which requests are let in: tokens, web pages and host names, limits, slow requests."""
