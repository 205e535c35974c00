"""Accepts jobs, keeps them in a database that outlives the server, and runs their circuits."""
