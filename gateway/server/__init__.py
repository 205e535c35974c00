"""What runs behind a port: the Flask application and the gunicorn that hosts it."""
