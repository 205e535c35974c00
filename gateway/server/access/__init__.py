"""Decides who is let in and with what: tokens, web pages and host names, limits, slow requests."""
