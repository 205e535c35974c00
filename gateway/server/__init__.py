"""Serves one simulator, function or backend behind a port: a Flask application, hosted by gunicorn."""
