"""The host's side of containers: image, container, readiness, with the docker SDK behind one door."""
