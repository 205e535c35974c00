"""What a user holds: one interface, many lifecycles."""
