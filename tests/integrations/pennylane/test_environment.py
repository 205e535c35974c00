from support.circuits import bell


def test_the_servers_are_reached_from_here(client):
    counts = client.run(bell(), shots=100, seed=1)
    assert set(counts) == {"00", "11"}
