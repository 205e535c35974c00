"""Noise: channels after gates and errors of readout, as data that a request carries to the simulator.

All simulators that have noise give a channel the same meaning, whatever its parameter means in their framework:

=====================  ====================================================================================
``depolarizing``       with probability p one of X, Y and Z, each as likely as the others, on each qubit of the gate
``bit_flip``           with probability p an X, on each qubit of the gate
``phase_flip``         with probability p a Z, on each qubit of the gate
``amplitude_damping``  decay from 1 to 0 with probability p, on each qubit of the gate
``phase_damping``      with probability p the environment learns whether the qubit is 1, on each qubit of the gate
``depolarizing2``      with probability p one of the 15 pairs of Paulis that are not both the identity, on both qubits
                       of a gate on two qubits together; other gates have none of it
=====================  ====================================================================================

Noise follows the gates as they stand in the circuit, not those that a simulator replaces them by. Where a gate has a
condition, its noise has it, too. Channels of one gate follow each other in the order of the model.

Source: Nielsen and Chuang, Quantum Computation and Quantum Information, section 8.3.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import Annotated, Self

import msgspec
from msgspec import Meta

from gateway.errors import LimitError, RequestError

MOST_RULES = 10_000
"""A model has at most so many rules and so many errors of readout."""

Probability = Annotated[float, Meta(ge=0, le=1)]
Qubit = Annotated[int, Meta(ge=0)]


class Channel(StrEnum):
    """The channels, which the module's docstring explains."""

    DEPOLARIZING = "depolarizing"
    BIT_FLIP = "bit_flip"
    PHASE_FLIP = "phase_flip"
    AMPLITUDE_DAMPING = "amplitude_damping"
    PHASE_DAMPING = "phase_damping"
    DEPOLARIZING2 = "depolarizing2"

    @property
    def num_qubits(self) -> int:
        """The number of qubits that it acts on."""
        return 2 if self is Channel.DEPOLARIZING2 else 1


READOUT = "readout"
"""How errors of readout are named among the kinds of noise that a simulator has."""

CHANNELS = frozenset(map(str, Channel))
"""The names of the channels, which operations of a noisy circuit have."""

PAULI = (Channel.DEPOLARIZING, Channel.BIT_FLIP, Channel.PHASE_FLIP, Channel.DEPOLARIZING2)
"""The channels that are random Paulis, which is what a simulator of stabilizers can have."""


class GateNoise(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """A channel that follows gates.

    Args:
        channel: its name.
        probability: its parameter p.
        gates: the names of the gates that it follows; all gates when null.
        qubits: the qubits on which it acts; all qubits of the gate when null. Of ``depolarizing2`` both qubits have to
            be among them.
    """

    channel: Channel
    probability: Probability
    gates: tuple[str, ...] | None = None
    qubits: tuple[Qubit, ...] | None = None


class ReadoutError(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Wrong outcomes of measurements; what is measured is left in the state of the true outcome.

    Args:
        zero_as_one: the probability that the outcome 0 is written as 1.
        one_as_zero: the probability that the outcome 1 is written as 0.
        qubits: the qubits whose measurements are meant; all when null.
    """

    zero_as_one: Probability
    one_as_zero: Probability
    qubits: tuple[Qubit, ...] | None = None


class NoiseModel(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """All noise of a run.

    In Python, methods return the model with one rule more::

        NoiseModel().depolarizing(0.001).depolarizing2(0.01, gates=["cx"]).readout_error(0.02, 0.05, qubits=[0])

    Args:
        channels: the channels after gates.
        readout: the errors of readout; of several for a qubit the last one counts.
    """

    channels: tuple[GateNoise, ...] = ()
    readout: tuple[ReadoutError, ...] = ()

    def depolarizing(
        self, probability: float, *, gates: Sequence[str] | None = None, qubits: Sequence[int] | None = None
    ) -> Self:
        """Return the model with a depolarizing channel; see the module for what each channel is."""
        return self._with(Channel.DEPOLARIZING, probability, gates, qubits)

    def depolarizing2(
        self, probability: float, *, gates: Sequence[str] | None = None, qubits: Sequence[int] | None = None
    ) -> Self:
        """Return the model with a depolarizing channel on both qubits of gates on two."""
        return self._with(Channel.DEPOLARIZING2, probability, gates, qubits)

    def bit_flip(
        self, probability: float, *, gates: Sequence[str] | None = None, qubits: Sequence[int] | None = None
    ) -> Self:
        """Return the model with bit flips."""
        return self._with(Channel.BIT_FLIP, probability, gates, qubits)

    def phase_flip(
        self, probability: float, *, gates: Sequence[str] | None = None, qubits: Sequence[int] | None = None
    ) -> Self:
        """Return the model with phase flips."""
        return self._with(Channel.PHASE_FLIP, probability, gates, qubits)

    def amplitude_damping(
        self, probability: float, *, gates: Sequence[str] | None = None, qubits: Sequence[int] | None = None
    ) -> Self:
        """Return the model with amplitude damping."""
        return self._with(Channel.AMPLITUDE_DAMPING, probability, gates, qubits)

    def phase_damping(
        self, probability: float, *, gates: Sequence[str] | None = None, qubits: Sequence[int] | None = None
    ) -> Self:
        """Return the model with phase damping."""
        return self._with(Channel.PHASE_DAMPING, probability, gates, qubits)

    def readout_error(
        self, zero_as_one: float, one_as_zero: float | None = None, *, qubits: Sequence[int] | None = None
    ) -> Self:
        """Return the model with wrong outcomes; both are equally likely to be wrong unless two numbers are given."""
        error = ReadoutError(
            zero_as_one=zero_as_one,
            one_as_zero=zero_as_one if one_as_zero is None else one_as_zero,
            qubits=None if qubits is None else tuple(qubits),
        )
        return msgspec.structs.replace(self, readout=(*self.readout, error))

    def _with(
        self, channel: Channel, probability: float, gates: Sequence[str] | None, qubits: Sequence[int] | None
    ) -> Self:
        rule = GateNoise(
            channel=channel,
            probability=probability,
            gates=None if gates is None else tuple(gates),
            qubits=None if qubits is None else tuple(qubits),
        )
        return msgspec.structs.replace(self, channels=(*self.channels, rule))

    def __str__(self) -> str:
        """Return the model as :func:`noise_of` reads it, followed by where each rule holds."""
        rules = [
            f"{rule.channel}={rule.probability:g}{_where('after', rule.gates)}{_where('on', rule.qubits)}"
            for rule in self.channels
        ]
        rules += [
            f"{READOUT}={error.zero_as_one:g}/{error.one_as_zero:g}{_where('on', error.qubits)}"
            for error in self.readout
        ]
        return ", ".join(rules) or "none"

    # ------------------------------------------------------------------ for a run

    def kinds(self) -> list[str]:
        """Return the kinds of noise in the model: names of channels, and ``readout``."""
        kinds = dict.fromkeys(str(rule.channel) for rule in self.channels)
        return [*kinds, READOUT] if self.readout else list(kinds)

    def check(self, num_qubits: int) -> None:
        """Check the model against a circuit, apart from the names of gates.

        Raises:
            RequestError: a probability is none, or a qubit is not there.
            LimitError: the model has too many rules.
        """
        rules = len(self.channels) + len(self.readout)
        if rules > MOST_RULES:
            message = f"the noise model has {rules:,} rules; at most {MOST_RULES:,} are accepted"
            raise LimitError(message, limit="noise rules", requested=rules, allowed=MOST_RULES)
        for rule in self.channels:
            _check_probability(rule.probability, rule.channel)
            _check_qubits(rule.qubits, num_qubits)
        for error in self.readout:
            _check_probability(error.zero_as_one, READOUT)
            _check_probability(error.one_as_zero, READOUT)
            _check_qubits(error.qubits, num_qubits)


def noise_of(text: str) -> NoiseModel:
    """Return the model that a line of text says: ``depolarizing=0.001,depolarizing2=0.01,readout=0.02/0.05``.

    A channel follows all gates; the two numbers of ``readout`` are the probabilities that 0 is written as 1 and that 1
    is written as 0, or one number for both. A text that begins with ``{`` is the model as JSON.

    Raises:
        RequestError: the text is none of this.
    """
    if text.lstrip().startswith("{"):
        try:
            return msgspec.json.decode(text.encode(), type=NoiseModel)
        except msgspec.DecodeError as exc:
            raise _refusal(f"the noise model is not right: {exc}") from exc
    model = NoiseModel()
    for part in text.split(","):
        name, _, value = (side.strip() for side in part.partition("="))
        try:
            numbers = [float(number) for number in value.split("/")]
            if name == READOUT and len(numbers) <= 2:  # noqa: PLR2004 - one number for each outcome
                model = model.readout_error(*numbers)
                continue
            (probability,) = numbers
            rule = GateNoise(channel=Channel(name), probability=probability)
        except ValueError:
            raise _refusal(
                f"noise is written NAME=PROBABILITY, and {part.strip()[:60]!r} is not; names are "
                f"{', '.join([*Channel, READOUT])}"
            ) from None
        model = msgspec.structs.replace(model, channels=(*model.channels, rule))
    return model


def _where(word: str, names: Sequence[object] | None) -> str:
    return f" {word} {', '.join(map(str, names))}" if names is not None else ""


def _check_probability(probability: float, of: str) -> None:
    if not 0 <= probability <= 1:
        raise _refusal(f"noise has probabilities from 0 to 1, and {of} has {probability}")


def _check_qubits(qubits: Sequence[int] | None, num_qubits: int) -> None:
    for qubit in qubits or ():
        if not 0 <= qubit < num_qubits:
            raise _refusal(f"there is no qubit {qubit} to have noise: the circuit has {num_qubits} qubits")


def _refusal(message: str) -> RequestError:
    return RequestError(message, field="noise")
