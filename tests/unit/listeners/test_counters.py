from gateway.listeners.counters import BOUNDS, Counters, Times


def test_counts_by_name_and_feed():
    counters = Counters()
    counters.add("stored")
    counters.add("bytes", 40)
    counters.feed("his", "stored", 17)
    counters.feed("his", "refused")
    assert counters.snapshot() == {
        "counts": {"stored": 1, "bytes": 40},
        "feeds": {"his": {"stored": 1, "refused": 1, "last_us": 17}},
    }


def test_times_are_a_cumulative_histogram():
    times = Times()
    for seconds in (0.0005, 0.001, 0.003, 60):
        times.add(seconds)
    found = times.snapshot()
    assert found["buckets"]["0.001"] == 2
    assert found["buckets"]["0.005"] == 3
    assert found["buckets"][str(BOUNDS[-1])] == 3
    assert found["buckets"]["+Inf"] == found["count"] == 4
