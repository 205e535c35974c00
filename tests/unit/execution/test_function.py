from __future__ import annotations

import functools
import itertools
import pickle
import signal
from decimal import Decimal
from fractions import Fraction
from types import MappingProxyType

import numpy as np
import pytest

from gateway.circuit import Circuit
from gateway.errors import GatewayError, LimitError, OutOfMemory, RequestError, SimulatorError, UnsupportedError
from gateway.execution.function import Function, ask
from gateway.results import ResultType, Sampling

CIRCUIT = Circuit(2).h(0).measure_all()


def run(run_func, *, shots=10, seed=None, result=None, sampling=Sampling.AUTO, token=None):
    function = Function(run_func, name="mine", version="1.2", token=token)
    return function.run(CIRCUIT, shots=shots, seed=seed, result=result, sampling=sampling)


def returning(returned):
    return lambda circuit, shots: returned


def test_a_function_of_two_arguments_gets_circuit_and_shots():
    seen = []
    result = run(lambda *args: seen.append(args) or {"00": 10}, token=None)
    assert result == {"00": 10}
    assert seen == [(CIRCUIT, 10, None)]
    run(lambda circuit, shots: seen.append((circuit, shots)) or {"00": 10}, token="t")  # noqa: S106
    assert seen[1] == (CIRCUIT, 10)


def test_a_function_of_three_arguments_gets_the_token_too():
    seen = []

    def run_func(circuit, shots, token):
        seen.append(token)
        return {"00": shots}

    run(run_func, token="secret")  # noqa: S106
    run(run_func)
    function = Function(run_func).with_token("other")
    function.run(CIRCUIT, shots=1, seed=None, result=None, sampling=Sampling.AUTO)
    assert seen == ["secret", None, "other"]


def test_a_parameter_named_seed_receives_the_seed():
    seen = []

    def run_func(circuit, shots, seed=None):
        seen.append(seed)
        return {"00": shots}

    assert Function(run_func).capabilities.seedable
    assert run(run_func, seed=7).provenance.seed == 7
    run(run_func)
    assert seen == [7, None]


@pytest.mark.parametrize(
    "run_func",
    [lambda: None, lambda circuit: {}, lambda a, b, c, d: {}, lambda circuit, *, shots: {}],
    ids=["none", "one", "four", "shots by name"],
)
def test_another_signature_is_refused(run_func):
    with pytest.raises(TypeError, match=r"run_func takes \(circuit, shots\) or \(circuit, shots, token\)"):
        Function(run_func)


def test_a_callable_that_hides_its_signature_is_refused_with_what_to_do():
    with pytest.raises(TypeError, match=r"no signature found.*wrap it in a function of \(circuit, shots\)"):
        Function(dict)


@pytest.mark.parametrize(
    ("returned", "counts"),
    [
        ({"00": 4, "11": 6}, {"00": 4, "11": 6}),
        ({"0 0": 4, " 11 ": 6}, {"00": 4, "11": 6}),
        ({"00": np.int64(10)}, {"00": 10}),
        ({"00": 10.0}, {"00": 10}),
        ({"00": 10, "11": 0}, {"00": 10}),
        ({np.str_("00"): np.uint8(10)}, {"00": 10}),
        (MappingProxyType({"00": 10}), {"00": 10}),
    ],
)
def test_counts_in_any_clear_form_are_taken(returned, counts):
    found = run(returning(returned))
    assert found == counts
    assert all(type(key) is str and type(value) is int for key, value in found.items())


@pytest.mark.parametrize(
    ("returned", "message"),
    [
        (None, "it returned NoneType, not a mapping"),
        ([("00", 10)], "it returned list, not a mapping"),
        ("00", "it returned str, not a mapping"),
        ({}, "0 outcomes for 10 shots"),
        ({"00": 9}, "9 outcomes for 10 shots"),
        ({"00": 11}, "11 outcomes for 10 shots"),
        ({"000": 10}, "'000', which is not a bitstring of 2 clbits"),
        ({"0": 10}, "'0', which is not a bitstring of 2 clbits"),
        ({"0x0": 10}, "'0x0', which is not a bitstring"),
        ({"12": 10}, "'12', which is not a bitstring"),
        ({0: 10}, "0, which is not a bitstring"),
        ({11: 10}, "11, which is not a bitstring"),
        ({(0, 1): 10}, r"\(0, 1\), which is not a bitstring"),
        ({"00": -1, "11": 11}, "it returned -1 for '00'"),
        ({"00": "10"}, "it returned '10' for '00'"),
        ({"00": None}, "it returned None for '00'"),
        ({"00": True}, "it returned True for '00'"),
        ({"00": Decimal(10)}, r"it returned Decimal\('10'\) for '00'"),
        ({"00": 10j}, "it returned 10j for '00'"),
        ({"00": np.array([4, 6])}, "for '00'"),
        ({"00": float("nan")}, "it returned nan for '00'"),
        ({"00": float("inf")}, "it returned inf for '00'"),
        ({"00": 9.5, "11": 0.5}, "9.5, which is not a whole number of shots"),
        ({"0 0": 5, "00": 5}, "the bitstring 00 twice"),
    ],
)
def test_garbage_is_refused_by_name(returned, message):
    with pytest.raises(SimulatorError, match=f"mine failed: .*{message}") as caught:
        run(returning(returned))
    assert (caught.value.simulator, caught.value.version) == ("mine", "1.2")


def test_without_shots_probabilities_are_returned():
    result = run(returning({"0 0": 0.25, "11": np.float64(0.75)}), shots=None)
    assert (result.kind, result, result.width) == ("probabilities", {"00": 0.25, "11": 0.75}, 2)
    assert (result.provenance.shots, result.provenance.sampler) == (None, "none")
    assert run(returning({"00": 1}), shots=None) == {"00": 1.0}


@pytest.mark.parametrize("values", [{}, {"00": 0.5}, {"00": 0.9, "11": 0.2}, {"00": 10}])
def test_probabilities_that_do_not_sum_to_one_are_refused(values):
    with pytest.raises(SimulatorError, match=r"the probabilities sum to .*, not to 1"):
        run(returning(values), shots=None)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -0.5, "1", None])
def test_probabilities_that_are_none_are_refused(value):
    with pytest.raises(SimulatorError, match="for '00'"):
        run(returning({"00": value, "11": 1.0}), shots=None)


def test_an_exception_becomes_a_simulator_error_and_keeps_its_cause():
    def run_func(circuit, shots):
        raise KeyError("no such device")

    with pytest.raises(SimulatorError, match="mine failed: KeyError: 'no such device'") as caught:
        run(run_func)
    assert isinstance(caught.value.__cause__, KeyError)


def test_memory_that_runs_out_in_a_function_is_an_error_of_its_own():
    def run_func(circuit, shots):
        raise MemoryError

    with pytest.raises(OutOfMemory, match="mine ran out of memory"):
        run(run_func)


def test_an_error_of_ours_is_passed_on_as_it_is():
    def run_func(circuit, shots):
        raise LimitError("too many", limit="qubits", requested=9, allowed=5)

    with pytest.raises(GatewayError, match="too many") as caught:
        run(run_func)
    assert type(caught.value) is LimitError


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"seed": 1}, UnsupportedError, "mine cannot be seeded"),
        ({"sampling": Sampling.NATIVE}, UnsupportedError, "mine does not have a sampler of its own"),
        (
            {"result": ResultType.STATEVECTOR, "shots": None},
            UnsupportedError,
            "mine does not have the result type statevector",
        ),
        ({"result": ResultType.PROBABILITIES}, RequestError, "the result probabilities is exact: leave shots out"),
        ({"result": ResultType.COUNTS, "shots": None}, RequestError, "the result counts needs a number of shots"),
    ],
)
def test_what_a_function_cannot_do_is_refused_before_it_is_called(arguments, error, message):
    with pytest.raises(error, match=message):
        run(lambda circuit, shots: pytest.fail("it was called"), **arguments)


def _offline():
    raise ConnectionError("the fridge is warm")


@pytest.mark.parametrize(
    ("ping_func", "expected"),
    [
        (None, (True, None)),
        (lambda: None, (True, None)),
        (lambda: True, (True, None)),
        (lambda: False, (False, None)),
        (lambda: "calibrating", (True, "calibrating")),
        (_offline, (False, "ConnectionError: the fridge is warm")),
    ],
)
def test_the_ping_function_says_whether_work_is_taken(ping_func, expected):
    assert Function(returning({}), ping_func).ping() == expected


def _module_level(noise, circuit, shots):
    return {"00": shots}


def test_a_function_can_be_pickled_where_its_parts_can():
    function = Function(functools.partial(_module_level, 0.1), name="mine")
    again = pickle.loads(pickle.dumps(function))  # noqa: S301
    assert again.run(CIRCUIT, shots=3, seed=None, result=None, sampling=Sampling.AUTO) == {"00": 3}


class UnspeakableError(Exception):
    def __str__(self):
        raise RuntimeError("no text")

    __repr__ = __str__


class Unreadable(dict):
    def items(self):
        raise ValueError("no items")


class Endless(dict):
    def items(self):
        return ((format(number, "0200b"), 1) for number in itertools.count())


class Unshowable:
    def __repr__(self):
        raise SystemExit(1)


class NoNumber(Fraction):
    def __ge__(self, other):
        raise ArithmeticError("never compared")


def raising(exc):
    def run_func(circuit, shots):
        raise exc

    return run_func


@pytest.mark.parametrize(
    ("exc", "message"),
    [
        (SystemExit(3), "mine failed: SystemExit: 3"),
        (SystemExit(), "mine failed: SystemExit"),
        (BaseException("base"), "mine failed: BaseException: base"),
        (GeneratorExit(), "mine failed: GeneratorExit"),
        (RecursionError("deep"), "mine failed: RecursionError: deep"),
        (UnspeakableError(), r"mine failed: UnspeakableError: \(its message cannot be shown: RuntimeError\)"),
        (RuntimeError("\ud800 and \0"), r"mine failed: RuntimeError: \\ud800 and \\x00"),
        (RuntimeError("x" * 10**6), r"mine failed: RuntimeError: x{1000,3000}\.\.\."),
    ],
)
def test_whatever_a_function_raises_is_its_error_by_name(exc, message):
    with pytest.raises(SimulatorError, match=message) as caught:
        run(raising(exc))
    assert caught.value.message.encode(), "it can be sent"
    assert len(caught.value.message) < 5_000


def test_ctrl_c_is_nobodys_error_and_in_a_worker_which_ignores_it_is_the_functions(monkeypatch):
    with pytest.raises(KeyboardInterrupt):
        run(raising(KeyboardInterrupt()))
    monkeypatch.setattr("gateway.execution.function.signal.getsignal", lambda _: signal.SIG_IGN)
    with pytest.raises(SimulatorError, match="mine failed: KeyboardInterrupt"):
        run(raising(KeyboardInterrupt()))


@pytest.mark.parametrize(
    ("returned", "message"),
    [
        ({"00": 10**5000}, "an object of the type int that cannot be shown for '00'"),
        ({"00": Fraction(10**5000)}, "an object of the type Fraction that cannot be shown for '00'"),
        ({"00": 2**63}, "it returned 9223372036854775808 for '00'"),
        ({"00": 1e300}, r"it returned 1e\+300 for '00'"),
        ({"00": 1e400}, "it returned inf for '00'"),
        ({"00": Unshowable()}, "an object of the type Unshowable that cannot be shown for '00'"),
        ({Unshowable(): 10}, "an object of the type Unshowable that cannot be shown, which is not a bitstring"),
        ({"0" * 10**6: 10}, r"'0{1000,3000}\.\.\., which is not a bitstring of 2 clbits"),
        ({"00": NoNumber(10)}, "what it returned cannot be read: ArithmeticError: never compared"),
        (Unreadable({"00": 10}), "what it returned cannot be read: ValueError: no items"),
    ],
)
def test_whatever_a_function_returns_that_is_no_answer_is_its_error_by_name(returned, message):
    with pytest.raises(SimulatorError, match=message):
        run(returning(returned))


def test_probabilities_that_overflow_are_the_functions_error():
    with pytest.raises(SimulatorError, match="mine failed: it returned"):
        run(returning({"00": 1e308, "11": 1e308}), shots=None)


def test_there_are_no_more_outcomes_than_shots_so_that_endless_ones_end():
    function = Function(returning(Endless()))
    with pytest.raises(SimulatorError, match="more outcomes than the 10 shots"):
        function.run(Circuit(200).measure_all(), shots=10, seed=None, result=None, sampling=Sampling.AUTO)


def test_a_function_says_in_its_signature_that_it_has_no_probabilities():
    def counting(circuit, shots: int):
        return {"00": shots}

    def counting_too(circuit: Circuit, shots: int, token: str):
        return {"00": shots}

    counting_too.__annotations__["shots"] = int  # as without the import of annotations above

    def either(circuit, shots: int | None):
        return {"00": 1.0 if shots is None else shots}

    for run_func in (counting, counting_too):
        assert Function(run_func).capabilities.result_types == (ResultType.COUNTS,)
        assert run(run_func) == {"00": 10}
        with pytest.raises(UnsupportedError, match="probabilities"):
            run(run_func, shots=None)
    for run_func in (either, lambda circuit, shots: {}):
        assert Function(run_func).capabilities.result_types == (ResultType.COUNTS, ResultType.PROBABILITIES)
    assert run(either, shots=None) == {"00": 1.0}


def test_a_ping_function_that_cannot_be_understood_is_offline():
    def failing():
        raise UnspeakableError

    assert ask(failing) == (False, "UnspeakableError: (its message cannot be shown: RuntimeError)")
    assert ask(lambda: "\ud800") == (True, r"\ud800")
