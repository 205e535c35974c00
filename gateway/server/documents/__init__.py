"""What a server shows to people, as HTML without scripts: its documentation, and what it is."""
