"""Amazon Braket: its circuits in and out."""
