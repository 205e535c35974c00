"""DockerSimulator works with a real engine and the real image: promises 20 and 21 of tests/security, and daily use."""

from __future__ import annotations

import signal
import uuid

import docker
import pytest
import requests
from support.fake import Does, fake
from support.waiting import wait_until

from gateway import Circuit, DockerSimulator
from gateway.backends.transport import BearerToken
from gateway.containers import hardening
from gateway.containers.container import (
    CONTENT_LABEL,
    HOLDER,
    IDLE_VARIABLE,
    OWNER_LABEL,
    SIMULATOR_LABEL,
    TOKEN_VARIABLE,
    Fleet,
)
from gateway.containers.engine import connect
from gateway.containers.owner import machine
from gateway.containers.vault import digest
from gateway.errors import AuthenticationError, ContainerConflict, LimitError
from gateway.simulators import SIMULATORS

BELL = Circuit(2).h(0).cx(0, 1).measure_all()

HOLD = """
simulator = DockerSimulator("qulacs")
simulator.run(bell, shots=10)
print(simulator.container, flush=True)
sys.stdin.readline()
"""
"""A program that uses a container until it is told to go on."""


def test_a_result_comes_from_a_container_with_its_provenance(mine):
    with DockerSimulator("qulacs") as simulator:
        counts = simulator.run(BELL, shots=1000, seed=7)

        assert counts.shots == 1000
        assert set(counts) == {"00", "11"}
        assert counts.provenance.simulator == "qulacs"
        assert [one.name for one in mine.containers()] == [simulator.container]
        assert simulator.status().online
        assert simulator.capabilities().seedable
        assert simulator.run_async(BELL, shots=1000, seed=7).result(30) == counts
    assert mine.left_behind() == []


@pytest.mark.parametrize("name", SIMULATORS)
def test_every_simulator_runs_in_its_container(mine, name):
    with DockerSimulator(name) as simulator:
        assert set(simulator.run(BELL, shots=100)) <= {"00", "11"}
    assert mine.left_behind() == []


def test_objects_of_one_process_share_a_container_until_the_last_is_closed(mine):
    with DockerSimulator("qulacs") as first:
        first.start()
        with DockerSimulator("qulacs") as second:
            second.start()
            assert second.container == first.container
        assert first.run(BELL, shots=10).shots == 10
    assert mine.left_behind() == []


def test_without_reuse_a_container_is_the_objects_own(mine):
    with DockerSimulator("qulacs") as shared, DockerSimulator("qulacs", reuse=False) as own:
        shared.start()
        own.start()
        assert own.container != shared.container
        assert len(mine.containers()) == 2
    assert mine.left_behind() == []


def test_other_limits_are_another_container(mine):
    with DockerSimulator("qulacs") as one, DockerSimulator("qulacs", memory="512m") as other:
        one.start()
        other.start()
        assert one.container != other.container


def test_another_process_reuses_the_container_and_leaves_it_to_those_who_still_use_it(mine):
    with DockerSimulator("qulacs") as simulator:
        simulator.start()
        other = mine.script(HOLD)
        assert mine.line(other) == simulator.container
        other.communicate("\n", timeout=60)
        assert other.returncode == 0
        assert simulator.run(BELL, shots=10).shots == 10
    assert mine.left_behind() == []


def test_processes_that_start_the_same_simulator_at_once_end_with_one_container(mine):
    processes = [mine.script(HOLD) for _ in range(5)]
    names = {mine.line(process) for process in processes}

    assert len(names) == 1
    assert [one.name for one in mine.containers()] == list(names)
    for process in processes:
        process.communicate("\n", timeout=60)
        assert process.returncode == 0
    assert mine.left_behind() == []


def test_a_kept_container_is_found_again_by_the_next_process(mine):
    code = 's = DockerSimulator("qulacs", keep=True)\ns.run(bell, shots=10)\nprint(s.container)'

    first, _ = mine.script(code).communicate(timeout=120)
    second, _ = mine.script(code).communicate(timeout=120)

    assert first == second != ""
    assert [one.name for one in mine.containers()] == [first.strip()]
    assert mine.gateway("down").returncode == 0
    assert mine.left_behind() == []


def test_after_a_kernel_was_killed_the_next_one_finds_its_container_again(mine):
    kernel = mine.script(HOLD)
    name = mine.line(kernel)
    kernel.kill()
    kernel.communicate()
    assert [one.name for one in mine.containers()] == [name]

    with DockerSimulator("qulacs") as simulator:
        simulator.start()
        assert simulator.container == name
    assert mine.left_behind() == []


@pytest.mark.parametrize(
    "ending",
    ["pass", "raise ValueError", "sys.exit(3)", "os.kill(os.getpid(), signal.SIGINT); signal.pause()",
     "os.kill(os.getpid(), signal.SIGTERM); signal.pause()", "os.kill(os.getpid(), signal.SIGHUP); signal.pause()",
     "DockerSimulator('qulacs').run(bell); import gc; gc.collect()"],
)  # fmt: skip
def test_however_a_process_ends_that_can_still_act_nothing_is_left(mine, ending):
    process = mine.script(f'DockerSimulator("qulacs").run(bell)\nprint("up", flush=True)\n{ending}')

    assert mine.line(process) == "up"
    process.communicate(timeout=60)

    assert mine.left_behind() == []


def test_what_a_killed_process_left_is_removed_by_the_next_start(mine):
    process = mine.script(HOLD)
    mine.line(process)
    process.kill()
    process.communicate()
    assert len(mine.left_behind()) == 3, "a container, its volume and its token"

    with DockerSimulator("mqt") as other:
        other.start()
        assert [one.name for one in mine.containers()] == [other.container]
    assert mine.left_behind() == []


def test_a_container_nobody_asks_anything_ends_itself_and_the_next_run_starts_another(mine):
    with DockerSimulator("qulacs", environment={IDLE_VARIABLE: "1"}) as simulator:
        simulator.run(BELL, shots=10)
        container = mine.containers()[0]
        container.wait(timeout=30)
        container.reload()
        assert container.attrs["State"]["ExitCode"] == 0
        assert simulator.run(BELL, shots=10).shots == 10
    assert mine.left_behind() == []


def test_limits_and_hardening_are_what_was_asked_for(mine):
    with DockerSimulator("qulacs", memory="768m", cpus=0.5) as simulator:
        simulator.start()
        (container,) = mine.containers()
        host, config = container.attrs["HostConfig"], container.attrs["Config"]
    assert host["Memory"] == host["MemorySwap"] == 768 * 2**20
    assert host["NanoCpus"] == 5 * 10**8
    assert host["PidsLimit"] == hardening.ContainerLimits().pids
    assert host["ReadonlyRootfs"]
    assert host["CapDrop"] == ["ALL"]
    assert "no-new-privileges:true" in host["SecurityOpt"]
    assert config["User"].partition(":")[0] == str(hardening.UID)


def test_a_port_is_chosen_or_taken_as_asked_and_only_on_loopback(mine):
    with DockerSimulator("qulacs") as chosen, DockerSimulator("qulacs", port=48088) as asked:
        chosen.start()
        asked.start()
        for container in mine.containers():
            container.reload()
            (binding,) = container.ports["8088/tcp"]
            assert binding["HostIp"] == "127.0.0.1"
        assert asked.client().port == 48088
        assert requests.get("http://127.0.0.1:48088/healthz", timeout=5).json() == {"status": "ok"}


def test_the_environment_reaches_the_server(mine):
    with (
        DockerSimulator("qulacs", environment={"GATEWAY_MEMORY_BYTES": str(2**28)}) as simulator,
        pytest.raises(LimitError, match=r"at most 2[0-4] do"),
    ):
        simulator.run(Circuit(25).h(0).measure_all(), shots=1)


def test_a_network_of_the_users_own_is_used(mine, network):
    with DockerSimulator("qulacs", network=network) as simulator:
        simulator.start()
        (container,) = mine.containers()
        assert list(container.attrs["NetworkSettings"]["Networks"]) == [network]
    assert mine.left_behind() == []


def test_the_default_network_leads_nowhere(mine, client):
    with DockerSimulator("qulacs") as simulator:
        simulator.start()
        (container,) = mine.containers()
        (name,) = container.attrs["NetworkSettings"]["Networks"]
    assert client.networks.get(name).attrs["Options"] == hardening.NETWORK_OPTIONS


def test_networks_of_the_same_name_that_were_made_at_the_same_time_become_one(mine, client):
    name = f"gateway-test-{uuid.uuid4().hex[:8]}"
    made = [client.networks.create(name, check_duplicate=False) for _ in range(3)]
    try:
        connect().ensure_network(name, "bridge", {}, {})
        assert [network.id for network in client.networks.list(names=[name])] == [made[0].id]
    finally:
        for network in client.networks.list(names=[name]):
            network.remove()


def test_a_token_is_required_differs_per_container_and_is_nowhere_to_be_seen(mine, client):
    with DockerSimulator("qulacs") as one, DockerSimulator("qulacs", reuse=False) as other:
        tokens = []
        for simulator in (one, other):
            simulator.run(BELL, shots=10)
            url = f"{simulator.client().url}/v1/backend"
            token = simulator.client()._transport.session.auth.token
            container = client.containers.get(simulator.container)
            seen = str(container.attrs) + container.logs().decode()
            assert token not in seen
            assert f"{TOKEN_VARIABLE}={HOLDER} sha256:{digest(token)}" in container.attrs["Config"]["Env"]
            assert requests.get(url, timeout=5).status_code == 401
            assert requests.get(url, headers={"Authorization": "Bearer x"}, timeout=5).status_code == 401
            assert requests.get(url, headers={"Authorization": f"Bearer {token}"}, timeout=5).status_code == 200
            tokens.append(token)
        assert tokens[0] != tokens[1]
        one.client()._transport.session.auth = BearerToken(tokens[1])
        with pytest.raises(AuthenticationError, match="the token is wrong"):
            one.run(BELL, shots=10)


def test_a_server_that_is_not_the_simulator_it_claims_to_be_is_refused(mine, impostor):
    with pytest.raises(ContainerConflict, match="serves 'cirq', not 'qulacs': check the image"):
        DockerSimulator("qulacs", image=impostor).start()

    assert mine.left_behind() == []


def test_a_server_of_another_protocol_is_refused_at_once(mine, foreigner):
    with pytest.raises(ContainerConflict, match="speaks protocol 99, this client speaks 1: install the same version"):
        DockerSimulator("qulacs", image=foreigner, start_timeout_s=3600).start()

    assert mine.left_behind() == []


def test_a_container_of_an_older_version_is_replaced(mine, client):
    with DockerSimulator("qulacs", keep=True) as simulator:
        simulator.start()
    (old,) = mine.containers()
    labels = {**old.labels, CONTENT_LABEL: "0123456789ab", OWNER_LABEL: f"{machine()}:1:0"}
    old.remove(force=True)
    stale = client.containers.run(
        old.image.id, ["serve", "qulacs"], name="gateway-qulacs-stale", labels=labels, detach=True
    )

    with DockerSimulator("qulacs") as simulator:
        assert simulator.run(BELL, shots=10).shots == 10
        with pytest.raises(docker.errors.NotFound):
            client.containers.get(stale.id)


def test_a_token_that_was_lost_costs_only_a_new_container(mine):
    with DockerSimulator("qulacs", keep=True) as simulator:
        simulator.start()
    (container,) = mine.containers()
    mine.vault.forget(container.id)

    with DockerSimulator("qulacs") as simulator:
        assert simulator.run(BELL, shots=10).shots == 10
        assert [one.id for one in mine.containers()] != [container.id]


def test_a_job_under_way_does_not_keep_others_from_being_answered(mine, rogue):
    with DockerSimulator("qulacs", image=rogue, cpus=1) as simulator:
        simulator.start()
        job = simulator.run_async(fake(Does.SLEEP_WITH_GIL, 50), shots=1)
        mine.wait_until_doing(Does.SLEEP_WITH_GIL)
        assert simulator.status().online
        assert not job.done()
        assert job.cancel()


def test_a_signal_handler_of_the_program_stays(mine):
    code = """
    signal.signal(signal.SIGTERM, lambda *_: print("mine", flush=True))
    with DockerSimulator("qulacs") as s:
        s.start()
        os.kill(os.getpid(), signal.SIGTERM)  # is handled before the call returns
    """
    output, _ = mine.script(code).communicate(timeout=120)

    assert output == "mine\n"
    assert signal.getsignal(signal.SIGTERM) is not None


def test_a_container_somebody_runs_by_compose_is_used_and_left_alone(mine, client, start, monkeypatch):
    theirs = start(
        *hardening.serve_command("qulacs", hardening.ContainerLimits()),
        ports={"8088/tcp": ("127.0.0.1", None)},
        labels={SIMULATOR_LABEL: "qulacs"},
    )
    monkeypatch.setattr(Fleet, "foreign_containers", lambda fleet, _name: [_listed(fleet, theirs.id)])
    port = int(theirs.ports["8088/tcp"][0]["HostPort"])
    wait_until(lambda: _healthy(port), "a healthy container")

    with DockerSimulator("qulacs") as simulator:
        assert simulator.run(BELL, shots=10).shots == 10
        assert simulator.client().port == port
        assert mine.containers() == []
    theirs.reload()
    assert theirs.status == "running"

    with DockerSimulator("qulacs", memory="512m") as simulator:  # asks for what theirs does not have
        simulator.start()
        assert simulator.client().port != port
    assert mine.left_behind() == []


def _listed(fleet: Fleet, container: str):
    return next(one for one in fleet.engine.containers(SIMULATOR_LABEL) if one.id == container)


def _healthy(port: int) -> bool:
    try:
        return requests.get(f"http://127.0.0.1:{port}/healthz", timeout=5).ok
    except requests.ConnectionError:
        return False
