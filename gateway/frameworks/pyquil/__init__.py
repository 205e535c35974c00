"""pyQuil: its circuits in and out."""
