"""Shows the work of a server to the outside: log lines and metrics."""
