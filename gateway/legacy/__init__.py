"""Interfaces that are answered for the sake of released clients; each room can be deleted."""
