# The public names. Rendered by scripts/render from gateway/__init__.py: do not edit.
from gateway.amplitudes import Amplitudes as Amplitudes
from gateway.backends.base import Backend as Backend
from gateway.backends.base import BackendStatus as BackendStatus
from gateway.backends.client import BackendClient as BackendClient
from gateway.backends.docker import DockerSimulator as DockerSimulator
from gateway.backends.iqm import IQMBackend as IQMBackend
from gateway.backends.job import Job as Job
from gateway.backends.local import LocalSimulator as LocalSimulator
from gateway.backends.qiskit import QiskitBackend as QiskitBackend
from gateway.backends.qiskit_runtime import QiskitRuntimeBackend as QiskitRuntimeBackend
from gateway.backends.server import BackendServer as BackendServer
from gateway.backends.virtual import VirtualBackend as VirtualBackend
from gateway.circuit import Circuit as Circuit
from gateway.circuit import Expression as Expression
from gateway.circuit import Operation as Operation
from gateway.circuit import bits as bits
from gateway.circuit import parameter as parameter
from gateway.client.gateway_client import GatewayClient as GatewayClient
from gateway.counts import Counts as Counts
from gateway.counts import Probabilities as Probabilities
from gateway.counts import Statevector as Statevector
from gateway.density_matrix import DensityMatrix as DensityMatrix
from gateway.errors import GatewayError as GatewayError
from gateway.expectation import Expectation as Expectation
from gateway.noise import NoiseModel as NoiseModel
from gateway.observables import PauliSum as PauliSum
from gateway.provenance import Provenance as Provenance
from gateway.results import Capabilities as Capabilities
from gateway.results import JobState as JobState
from gateway.results import Precision as Precision
from gateway.results import Progress as Progress
from gateway.results import ResultType as ResultType
from gateway.results import Sampling as Sampling
from gateway.shot_memory import Memory as Memory
from gateway.simulators import SIMULATORS as SIMULATORS
from gateway.simulators import simulators as simulators
from gateway.version import __version__ as __version__

__all__ = [
    "SIMULATORS",
    "Amplitudes",
    "Backend",
    "BackendClient",
    "BackendServer",
    "BackendStatus",
    "Capabilities",
    "Circuit",
    "Counts",
    "DensityMatrix",
    "DockerSimulator",
    "Expectation",
    "Expression",
    "GatewayClient",
    "GatewayError",
    "Job",
    "JobState",
    "LocalSimulator",
    "Memory",
    "NoiseModel",
    "Operation",
    "PauliSum",
    "Precision",
    "Probabilities",
    "Progress",
    "Provenance",
    "ResultType",
    "Sampling",
    "Statevector",
    "VirtualBackend",
    "__version__",
    "bits",
    "parameter",
    "simulators",
]
