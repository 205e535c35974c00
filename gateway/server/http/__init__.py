"""Answers HTTP requests: routes, what is taken out of a request, and slow ones broken off."""
