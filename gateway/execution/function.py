"""Makes a simulator of a user's ``run_func``."""

from __future__ import annotations

import inspect
import math
import signal
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from numbers import Integral, Real
from time import perf_counter
from typing import Any

from gateway.circuit import Circuit
from gateway.circuit.needs import needs
from gateway.counts import Counts, Probabilities
from gateway.enforcement import RunOptions, check_details, refuse, result_type
from gateway.errors import GatewayError, OutOfMemory, SimulatorError
from gateway.resources import ran_out_of_memory
from gateway.results import Capabilities, Provenance, Result, ResultType, Sampling
from gateway.run_details import NO_DETAILS, RunDetails

RunFunc = Callable[..., Mapping[str, Any]]
PingFunc = Callable[[], Any]

_LONGEST_TEXT = 2_000
_TOO_LARGE = 2**63


class Function:
    """Runs circuits by calling ``run_func(circuit, shots)`` or ``run_func(circuit, shots, token)``.

    The function gets a :class:`~gateway.circuit.Circuit` and returns a mapping from bitstring
    (clbit 0 rightmost; spaces are taken out) to counts that sum to ``shots``; for ``shots=None``
    to probabilities that sum to 1. A parameter named ``seed`` receives the seed. A function whose signature says
    ``shots: int`` gives no probabilities, and none are offered.

    Whatever the function raises or returns that is no answer becomes its :class:`~gateway.errors.SimulatorError`.

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
        self._takes_seed, self.takes_token, is_exact = _signature(run_func)
        self.capabilities = Capabilities(
            result_types=(ResultType.COUNTS, ResultType.PROBABILITIES) if is_exact else (ResultType.COUNTS,),
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
        self,
        circuit: Circuit,
        *,
        shots: int | None,
        seed: int | None,
        result: ResultType | None,
        sampling: Sampling,
        details: RunDetails = NO_DETAILS,
    ) -> Result:
        """Call the function and check what it returns.

        Raises:
            UnsupportedError: the circuit or the request asks for something that no function does.
            SimulatorError: the function raised, or returned something else than it has to.
        """
        kind = result_type(shots, result)
        options = RunOptions(kind, sampling, seeded=seed is not None, details=details)
        refuse(needs(circuit), self.capabilities, options, simulator=self.name)
        check_details(options, circuit, shots)
        arguments: dict[str, Any] = {"seed": seed} if self._takes_seed and seed is not None else {}
        positional = (circuit, shots, self.token) if self.takes_token else (circuit, shots)
        start = perf_counter()
        with self._blamed("{}"):
            values = self.run_func(*positional, **arguments)
        provenance = Provenance(
            simulator=self.name,
            version=self._version,
            shots=shots,
            seed=seed,
            sampler="none" if shots is None else "native",
            run_s=perf_counter() - start,
        )
        with self._blamed("what it returned cannot be read: {}"):
            outcome = self._outcome(kind, values, circuit, shots)
        return details.selected(outcome).with_provenance(provenance)

    @contextmanager
    def _blamed(self, detail: str) -> Iterator[None]:
        """Turn whatever the function and its objects raise into an error of the function's.

        Raises:
            SimulatorError: something was raised; ``detail`` says where, with ``{}`` for what it was.
        """
        try:
            yield
        except GatewayError:
            raise
        except BaseException as exc:
            if isinstance(exc, KeyboardInterrupt) and signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
                raise  # somebody pressed Ctrl-C, which a worker ignores
            if _ran_out_of_memory(exc):
                text = f"{self.name} ran out of memory: ask for fewer shots or fewer qubits"
                raise OutOfMemory(text, simulator=self.name) from exc
            raise self._failure(detail.format(described(exc))) from exc

    def _outcome(self, kind: ResultType, values: object, circuit: Circuit, shots: int | None) -> Result:
        width = circuit.num_clbits
        outcome: Result = getattr(self, kind)(self._amounts(values, width, shots), width)
        fault = outcome.fault(num_qubits=circuit.num_qubits, num_clbits=width, shots=shots)
        if fault is not None:
            raise self._failure(fault)
        return outcome

    def counts(self, values: Mapping[str, float], width: int) -> Counts:
        """Return the counts that the function returned."""
        fractions = [value for value in values.values() if value != int(value)]
        if fractions:
            raise self._failure(f"it returned {fractions[0]!r}, which is not a whole number of shots")
        return Counts.trusted({key: int(times) for key, times in values.items() if times}, width)

    def probabilities(self, values: Mapping[str, float], width: int) -> Probabilities:
        """Return the probabilities that the function returned."""
        return Probabilities({key: float(probability) for key, probability in values.items()}, width)

    def _amounts(self, answer: object, width: int, shots: int | None) -> dict[str, float]:
        """Return what the function returned as a number for each bitstring, spaces taken out."""
        if not isinstance(answer, Mapping):
            raise self._failure(f"it returned {type(answer).__name__}, not a mapping from bitstring to counts")
        amounts: dict[str, float] = {}
        outcomes = 0
        for key, value in answer.items():
            bitstring = str.replace(key, " ", "") if isinstance(key, str) else ""
            if not isinstance(key, str) or len(bitstring) != width or bitstring.strip("01"):
                raise self._failure(f"it returned {_shown(key)}, which is not a bitstring of {width} clbits")
            if bitstring in amounts:
                raise self._failure(f"it returned the bitstring {bitstring} twice, with and without spaces")
            if not _is_amount(value):
                raise self._failure(f"it returned {_shown(value)} for {_shown(key)}")
            amounts[bitstring] = int(value) if isinstance(value, Integral) else float(value)
            outcomes += bool(amounts[bitstring])
            if shots is not None and outcomes > shots:
                raise self._failure(f"it returned more outcomes than the {shots} shots")
        return amounts

    def _failure(self, detail: str) -> SimulatorError:
        return SimulatorError(
            f"{self.name} failed: {detail}", simulator=self.name, version=self._version, detail=detail
        )


def ask(ping_func: PingFunc) -> tuple[bool, str | None]:
    """Return whether a user's ``ping_func`` says that work is taken, and its status as text, if it gives one."""
    try:
        answer = ping_func()
        return answer is not False, _plain(str(answer)) if isinstance(answer, str) else None
    except Exception as exc:  # noqa: BLE001 - a user's function at the process edge; the text is passed on
        return False, described(exc)


def described(exc: BaseException) -> str:
    """Return the name and the message of an exception as text that can be sent, whatever its methods do."""
    try:
        text = str(exc)
    except BaseException as failure:  # noqa: BLE001 - a method of the user's
        text = f"(its message cannot be shown: {type(failure).__name__})"
    return _plain(f"{type(exc).__name__}: {text}" if text else type(exc).__name__)


def _plain(text: str) -> str:
    """Return a text of bounded length without what terminals, logs and databases do not take."""
    text = text[:_LONGEST_TEXT] + "..." * (len(text) > _LONGEST_TEXT)
    return text.encode(errors="backslashreplace").decode().replace("\0", r"\x00")


def _shown(value: object) -> str:
    """Return an object as text; its type, if it cannot be shown."""
    try:
        return _plain(repr(value))
    except BaseException:  # noqa: BLE001 - a method of the user's, or a number of too many digits
        return f"an object of the type {type(value).__name__} that cannot be shown"


def _ran_out_of_memory(exc: BaseException) -> bool:
    try:
        return ran_out_of_memory(exc)
    except BaseException:  # noqa: BLE001 - a method of the user's
        return False


def _is_amount(value: Any) -> bool:  # noqa: ANN401 - a user's function returned it
    """Return whether a value is a finite number that is not negative, and no larger than any number of shots."""
    if type(value) is bool or not isinstance(value, Real):
        return False
    number: Any = value  # numbers that compare, as all do that there are
    return 0 <= number < _TOO_LARGE and math.isfinite(number)


def _signature(run_func: RunFunc) -> tuple[bool, bool, bool]:
    """Return whether a function takes a seed, takes a token as its third argument, and may take ``None`` for shots.

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
    is_exact = all(shots.annotation not in {int, "int"} for shots in positional[1:2])
    return takes_seed, star or bool(positional[2:]), is_exact
