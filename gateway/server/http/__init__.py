"""Answers HTTP requests: the application, its handlers, the parts of a request, and the forms of a response."""
