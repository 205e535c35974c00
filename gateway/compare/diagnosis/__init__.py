"""What may be wrong with a simulator that differs: hypotheses, each with the distribution that it predicts."""

from gateway.compare.diagnosis.diagnosis import diagnose
from gateway.compare.diagnosis.observations import Observations

__all__ = ["Observations", "diagnose"]
