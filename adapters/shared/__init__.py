"""What adapters share: the dense template, the driver for dynamic circuits, sampling, memory, seeds."""
