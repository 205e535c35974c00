"""The door: the gateway's own service, one port in front of all simulators, with comparisons and a page."""
