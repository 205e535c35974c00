"""One file per simulator: each converts the shared circuit and drives one framework."""
