"""The mathematics of the referee: samples against distributions, and against each other. It knows no circuit."""
