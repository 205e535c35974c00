"""All backends of a hunt: they run each circuit side by side, and one that ends stops no other."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from time import monotonic

import msgspec

from gateway.backends.base import Backend
from gateway.circuit import Circuit
from gateway.compare.hunting.hunt_record import Tally
from gateway.compare.hunting.observation import Observation, Plan, observe
from gateway.compare.hunting.participant import Participant
from gateway.compare.hunting.scope import Scope
from gateway.errors import GatewayError, SimulatorNotInstalled

REVIVAL_S = 15.0
"""The seconds after which a backend that does not answer is tried again."""


class Participants:
    """All backends of a hunt.

    Args:
        backends: name -> backend; they stay the caller's.
        timeout_s: the seconds after which each run is ended.

    Attributes:
        tallies: name -> what the backend was asked so far.
    """

    def __init__(self, backends: Mapping[str, Backend], timeout_s: float | None) -> None:
        self._all = {name: Participant(name, backend, timeout_s) for name, backend in backends.items()}
        self._lost: dict[str, float] = dict.fromkeys(self._all, -REVIVAL_S)
        self._pool = ThreadPoolExecutor(max_workers=len(self._all), thread_name_prefix="gateway-hunt")
        self.tallies = {name: Tally() for name in self._all}

    def __getitem__(self, name: str) -> Participant:
        return self._all[name]

    def present(self) -> list[Participant]:
        """Return those that answer, after those that were lost a while ago have been tried again.

        Raises:
            SimulatorNotInstalled: one is not on this machine at all.
        """
        lost = [name for name, since in self._lost.items() if monotonic() - since >= REVIVAL_S]
        for name, is_back in zip(lost, self._pool.map(self._start, lost), strict=True):
            if is_back:
                del self._lost[name]
            else:
                self._lost[name] = monotonic()
        return [participant for name, participant in self._all.items() if name not in self._lost]

    @property
    def lost(self) -> list[str]:
        """The names of those that do not answer."""
        return list(self._lost)

    def scope(self, name: str) -> Scope:
        """Return what one takes; everything for our own exact simulator."""
        return self._all[name].scope if name in self._all else Scope()

    def observe(self, circuit: Circuit, plan: Plan) -> dict[str, Observation]:
        """Run a circuit on all that answer, side by side, and return what each gave.

        One that cannot be reached is started again. If the circuit ends it once more, that is its observation; if it
        does not come back, it has none and is left out for a while.
        """
        present = self.present()
        observations = dict(
            zip(
                [participant.name for participant in present],
                self._pool.map(lambda participant: self._observe(participant, circuit, plan), present),
                strict=True,
            )
        )
        return {name: observation for name, observation in observations.items() if observation is not None}

    def close(self) -> None:
        """End the threads; runs that are under way are not waited for."""
        self._pool.shutdown(wait=False, cancel_futures=True)

    def observe_one(self, name: str, circuit: Circuit, plan: Plan | None) -> Observation | None:
        """Run a circuit on one, and return what it gave, or ``None`` if it does not come back."""
        observation = observe(self._all[name], circuit, plan)
        if observation.is_lost:
            if not self._start(name):
                self._lost[name] = monotonic()
                return None
            self._count(name, restarts=1)
            observation = observe(self._all[name], circuit, plan)
        return observation

    def _observe(self, participant: Participant, circuit: Circuit, plan: Plan) -> Observation | None:
        observation = self.observe_one(participant.name, circuit, plan)
        if observation is None:
            return None
        self._count(
            participant.name,
            circuits=not observation.is_empty,
            exact=observation.exact is not None or observation.state is not None,
            samples=observation.sample is not None,
            not_taken=observation.is_empty,
        )
        return observation

    def _start(self, name: str) -> bool:
        """Ask a backend what it can do, and return whether it answered; the tally says why not."""
        participant = self._all[name]
        try:
            participant.start()
        except SimulatorNotInstalled:
            raise
        except GatewayError as exc:
            self._note(name, f"does not answer: {type(exc).__name__}: {exc}")
            return False
        self._note(name, participant.note, participant.version)
        return True

    def _note(self, name: str, note: str, version: str = "") -> None:
        tally = self.tallies[name]
        self.tallies[name] = msgspec.structs.replace(tally, note=note, version=version or tally.version)

    def _count(self, name: str, **more: int) -> None:
        tally = self.tallies[name]
        counted = {field: getattr(tally, field) + number for field, number in more.items()}
        self.tallies[name] = msgspec.structs.replace(tally, **counted)
