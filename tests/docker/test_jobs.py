"""Jobs survive the container in which they ran."""

from __future__ import annotations

import pytest
from support.fake import Does, fake
from support.waiting import wait_until

from gateway import Circuit, DockerSimulator
from gateway.errors import ContainerExited
from gateway.results import JobState

BELL = Circuit(2).h(0).cx(0, 1).measure_all()


def test_a_container_killed_with_jobs_under_way_leaves_them_to_the_next(mine, client, rogue):
    with DockerSimulator("qulacs", image=rogue, cpus=1) as simulator:
        done = simulator.run_async(fake(amount=7), shots=1)
        assert done.result(60) == {"00000111": 1}
        running = simulator.run_async(fake(Does.SLEEP, 3), shots=2)
        waiting = simulator.run_async([fake(amount=1), fake(amount=2)], shots=3)
        wait_until(lambda: running.status() is JobState.RUNNING, "the job to run")
        first = client.containers.get(simulator.container)
        first.kill()
        with pytest.raises(ContainerExited, match="ended"):
            running.result(60)

        assert simulator.job(running.id).result(60) == {"00000011": 2}
        assert client.containers.get(simulator.container).id != first.id
        assert simulator.job(waiting.id).result(60) == [{"00000001": 3}, {"00000010": 3}]
        assert simulator.job(done.id).result(60) == {"00000111": 1}
        assert len(simulator.client().jobs()) == 3, "none doubled"
    assert mine.left_behind() == []


def test_jobs_of_a_real_simulator_are_found_by_another_program_after_a_kill(mine, client):
    with DockerSimulator("qulacs") as simulator:
        job = simulator.run_async(BELL, shots=100, seed=1)
        counts = job.result(60)
        client.containers.get(simulator.container).kill()
        program = mine.script(
            "with DockerSimulator('qulacs') as s:\n    print(dict(s.job(sys.argv[1]).result(60)), flush=True)", job.id
        )
        assert mine.line(program) == str(dict(counts))
        program.wait(60)
