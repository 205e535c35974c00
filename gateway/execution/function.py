"""Makes a simulator of a user's ``run_func``."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Mapping
from numbers import Integral, Real
from time import perf_counter
from typing import Any

from gateway.circuit import Circuit
from gateway.circuit.needs import needs
from gateway.counts import Counts, Probabilities
from gateway.enforcement import RunOptions, refuse, result_type
from gateway.errors import GatewayError, OutOfMemory, SimulatorError
from gateway.resources import ran_out_of_memory
from gateway.results import Capabilities, Provenance, Result, ResultType, Sampling

RunFunc = Callable[..., Mapping[str, Any]]
PingFunc = Callable[[], Any]


class Function:
    """Runs circuits by calling ``run_func(circuit, shots)`` or ``run_func(circuit, shots, token)``.

    The function gets a :class:`~gateway.circuit.Circuit` and returns a mapping from bitstring
    (clbit 0 rightmost; spaces are taken out) to counts that sum to ``shots``; for ``shots=None``
    to probabilities that sum to 1. A parameter named ``seed`` receives the seed.

    Args:
        run_func: the function.
        ping_func: returns whether the function takes work (``None`` counts as yes), or a text on its
            status; an exception means that it is offline.
        name: the name that results and the server report for the simulator.
        version: the version that they report.
        token: the token of the caller, for functions that take one.
    """

    native_gates: tuple[str, ...] = ()

    def __init__(
        self,
        run_func: RunFunc,
        ping_func: PingFunc | None = None,
        *,
        name: str = "function",
        version: str = "",
        token: str | None = None,
    ) -> None:
        self.run_func = run_func
        self.ping_func = ping_func
        self.name = name
        self._version = version
        self.token = token
        self._takes_seed, self.takes_token = _signature(run_func)
        self.capabilities = Capabilities(
            result_types=(ResultType.COUNTS, ResultType.PROBABILITIES),
            seedable=self._takes_seed,
            native_sampling=False,
        )

    def version(self) -> str:
        """Return the version the server was given."""
        return self._version

    def with_token(self, token: str | None) -> Function:
        """Return the same function on behalf of the holder of a token."""
        return Function(self.run_func, self.ping_func, name=self.name, version=self._version, token=token)

    def ping(self) -> tuple[bool, str | None]:
        """Return whether the function takes work, and its status as text, as the ``ping_func`` says."""
        return (True, None) if self.ping_func is None else ask(self.ping_func)

    def run(
        self, circuit: Circuit, *, shots: int | None, seed: int | None, result: ResultType | None, sampling: Sampling
    ) -> Result:
        """Call the function and check what it returns.

        Raises:
            UnsupportedError: the circuit or the request asks for something that no function does.
            SimulatorError: the function raised, or returned something else than it has to.
        """
        kind = self._result_type(circuit, seed, result, sampling, shots)
        arguments: dict[str, Any] = {"seed": seed} if self._takes_seed and seed is not None else {}
        positional = (circuit, shots, self.token) if self.takes_token else (circuit, shots)
        start = perf_counter()
        try:
            values = self.run_func(*positional, **arguments)
        except GatewayError:
            raise
        except Exception as exc:
            if ran_out_of_memory(exc):
                raise OutOfMemory(f"{self.name} ran out of memory", simulator=self.name) from exc
            raise self._failure(f"{type(exc).__name__}: {exc}") from exc
        provenance = Provenance(
            simulator=self.name,
            version=self._version,
            shots=shots,
            seed=seed,
            sampler="none" if shots is None else "native",
            run_s=perf_counter() - start,
        )
        width = circuit.num_clbits
        outcome: Result = getattr(self, kind)(self._amounts(values, width), width)
        fault = outcome.fault(num_qubits=circuit.num_qubits, num_clbits=width, shots=shots)
        if fault is not None:
            raise self._failure(fault)
        return outcome.with_provenance(provenance)

    def counts(self, values: Mapping[str, float], width: int) -> Counts:
        """Return the counts that the function returned."""
        fractions = [value for value in values.values() if value != int(value)]
        if fractions:
            raise self._failure(f"it returned {fractions[0]!r}, which is not a whole number of shots")
        return Counts.trusted({key: int(times) for key, times in values.items() if times}, width)

    def probabilities(self, values: Mapping[str, float], width: int) -> Probabilities:
        """Return the probabilities that the function returned."""
        return Probabilities({key: float(probability) for key, probability in values.items()}, width)

    def _result_type(
        self, circuit: Circuit, seed: int | None, result: ResultType | None, sampling: Sampling, shots: int | None
    ) -> ResultType:
        """Return the result type, after refusing what a function cannot do."""
        kind = result_type(shots, result)
        options = RunOptions(kind, sampling, seeded=seed is not None)
        refuse(needs(circuit), self.capabilities, options, simulator=self.name)
        return kind

    def _amounts(self, answer: object, width: int) -> dict[str, float]:
        """Return what the function returned as a number for each bitstring, spaces taken out."""
        if not isinstance(answer, Mapping):
            raise self._failure(f"it returned {type(answer).__name__}, not a mapping from bitstring to counts")
        amounts: dict[str, float] = {}
        for key, value in answer.items():
            bitstring = key.replace(" ", "") if isinstance(key, str) else ""
            if not isinstance(key, str) or len(bitstring) != width or bitstring.strip("01"):
                raise self._failure(f"it returned {key!r}, which is not a bitstring of {width} clbits")
            if bitstring in amounts:
                raise self._failure(f"it returned the bitstring {bitstring} twice, with and without spaces")
            if not _is_amount(value):
                raise self._failure(f"it returned {value!r} for {key!r}")
            amounts[bitstring] = int(value) if isinstance(value, Integral) else float(value)
        return amounts

    def _failure(self, detail: str) -> SimulatorError:
        return SimulatorError(
            f"{self.name} failed: {detail}", simulator=self.name, version=self._version, detail=detail
        )


def ask(ping_func: PingFunc) -> tuple[bool, str | None]:
    """Return whether a user's ``ping_func`` says that work is taken, and its status as text, if it gives one."""
    try:
        answer = ping_func()
    except Exception as exc:  # noqa: BLE001 - a user's function at the process edge; the text is passed on
        return False, f"{type(exc).__name__}: {exc}"
    return answer is not False, answer if isinstance(answer, str) else None


def _is_amount(value: Any) -> bool:  # noqa: ANN401 - a user's function returned it
    """Return whether a value is a finite number that is not negative."""
    return type(value) is not bool and isinstance(value, Real) and 0 <= float(value) < math.inf


def _signature(run_func: RunFunc) -> tuple[bool, bool]:
    """Return whether a function takes a seed, and whether it takes a token as its third argument.

    Raises:
        TypeError: the function can be called neither with two arguments nor with three.
    """
    try:
        parameters = inspect.signature(run_func).parameters.values()
    except ValueError as exc:
        raise TypeError(f"{exc}: wrap it in a function of (circuit, shots)") from exc
    takes_seed = any(p.name == "seed" or p.kind is p.VAR_KEYWORD for p in parameters)
    positional = [p for p in parameters if p.kind in {p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD} and p.name != "seed"]
    required = [p for p in positional if p.default is p.empty]
    star = any(p.kind is p.VAR_POSITIONAL for p in parameters)
    if len(required) > 3 or (len(positional) < 2 and not star):  # noqa: PLR2004 - the two signatures there are
        raise TypeError("run_func takes (circuit, shots) or (circuit, shots, token)")
    return takes_seed, star or len(positional) >= 3  # noqa: PLR2004 - the token is the third
