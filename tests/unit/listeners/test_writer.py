import threading

from gateway.listeners.writer import Writer


def test_one_job_is_served_alone_and_at_once():
    served = threading.Event()
    writer = Writer(lambda group: served.set() if group == [1] else None)
    writer.start()
    writer.put(1)
    assert served.wait(5)
    assert writer.stop(5)


def test_what_gathers_during_a_commit_is_one_group_of_at_most_the_most():
    groups, first, go = [], threading.Event(), threading.Event()

    def serve(group):
        groups.append(group)
        first.set()
        go.wait(5)

    writer = Writer(serve, most=4)
    writer.start()
    writer.put(0)
    first.wait(5)
    for job in range(1, 10):
        writer.put(job)
    assert writer.waiting == 9
    go.set()
    assert writer.stop(5)
    assert groups == [[0], [1, 2, 3, 4], [5, 6, 7, 8], [9]]


def test_everything_handed_over_is_served_before_the_end():
    served = []
    writer = Writer(served.extend, most=3)
    for job in range(7):
        writer.put(job)
    writer.start()
    assert writer.stop(5)
    assert served == list(range(7))


def test_a_fault_does_not_end_the_thread(caplog):
    served = []

    def serve(group):
        if "bad" in group:
            raise RuntimeError("broken")
        served.extend(group)

    writer = Writer(serve, most=1)
    writer.start()
    writer.put("bad")
    writer.put("good")
    assert writer.stop(5)
    assert served == ["good"]
    assert "could not be served" in caplog.text


def test_a_heavy_job_ends_its_group(monkeypatch):
    monkeypatch.setattr("gateway.listeners.writer.MOST_BYTES", 10)
    groups = []
    writer = Writer(groups.append, weigh=len)
    for job in ("aaaa", "bbbb", "cccc", "dd"):
        writer.put(job)
    writer.start()
    assert writer.stop(5)
    assert groups == [["aaaa", "bbbb", "cccc"], ["dd"]]


def test_says_how_long_a_group_takes():
    served, go = threading.Event(), threading.Event()

    def serve(group):
        served.set()
        go.wait(5)

    writer = Writer(serve)
    assert writer.busy_for(1e12) == 0
    writer.start()
    writer.put(1)
    served.wait(5)
    assert writer.busy_for(1e12) > 1e6
    go.set()
    assert writer.stop(5)
    assert writer.busy_for(1e12) == 0
