"""Decides who is let in: limits, tokens, web pages and host names."""
