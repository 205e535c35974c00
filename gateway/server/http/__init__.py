"""Answers HTTP requests: the application, its handlers, what is taken out of a request and how it is answered."""
