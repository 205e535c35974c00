"""Takes a result type of the tests from an adapter through the protocol to a backend; prints the outcome as JSON."""

from __future__ import annotations

import io
import json

import msgspec
import requests
from requests.adapters import BaseAdapter
from support.fakes import NumpyAdapter
from support.parity import Parity

from adapters.base import Run
from gateway.backends.client import BackendClient
from gateway.circuit import Circuit
from gateway.errors import SimulatorError, UnsupportedError
from gateway.execution.runner import Runner
from gateway.protocol.messages import ServerLimits
from gateway.results import ResultType


class WithParity(NumpyAdapter):
    capabilities = msgspec.structs.replace(
        NumpyAdapter.capabilities, result_types=(*NumpyAdapter.capabilities.result_types, ResultType("parity"))
    )

    def parity(self, circuit: Circuit, run: Run) -> Parity:
        probabilities = self.probabilities(circuit, run)
        even = sum(probability for key, probability in probabilities.items() if key.count("1") % 2 == 0)
        return Parity(round(even, 9), circuit.num_clbits)


class Improbable(WithParity):
    def parity(self, circuit: Circuit, run: Run) -> Parity:
        return Parity(2.0, circuit.num_clbits)


class ToRunner(BaseAdapter):
    """Hands requests to a runner in place of a network, and remembers the answers."""

    def __init__(self, runner: Runner) -> None:
        super().__init__()
        self.runner = runner
        self.answers: list[bytes] = []

    def send(self, request, stream=False, timeout=None, verify=True, cert=None, proxies=None):
        answer = self.runner.describe() if request.method == "GET" else self.runner.run(request.body, None)
        self.answers.append(answer.body)
        response = requests.Response()
        response.status_code, response.raw, response.url = answer.status, io.BytesIO(answer.body), request.url
        return response

    def close(self) -> None:
        pass


def outcome_and_answer(adapter: NumpyAdapter, circuit: Circuit):
    """Return the outcome of a run, or its error, and the last answer."""
    wire = ToRunner(Runner(adapter, ServerLimits()))
    session = requests.Session()
    session.mount("http://", wire)
    try:
        return BackendClient(session=session).run(circuit, shots=None, result="parity"), wire.answers[-1]
    except (UnsupportedError, SimulatorError) as exc:
        return exc, wire.answers[-1]


def main() -> None:
    bell = Circuit(2).h(0).cx(0, 1).measure_all()
    outcome, answer = outcome_and_answer(WithParity(), bell)
    print(
        json.dumps(
            {
                "class": type(outcome).__name__,
                "even": outcome.even,
                "width": outcome.width,
                "simulator": outcome.provenance.simulator,
                "fields": sorted(json.loads(answer)["results"][0]),
                "on the wire": json.loads(answer)["results"][0]["parity"],
                "not declared": str(outcome_and_answer(NumpyAdapter(), bell)[0]),
                "faulty": str(outcome_and_answer(Improbable(), bell)[0]),
            }
        )
    )


if __name__ == "__main__":
    main()
