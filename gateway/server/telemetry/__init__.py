"""Shows from outside what a server does: log lines and metrics."""
