from gateway.listeners import snapshot
from gateway.listeners.counters import Counters, Times


def test_what_is_written_is_read(tmp_path):
    snapshot.write(tmp_path, {"ready": True, "shut": {"disk": "磁盘"}})
    assert snapshot.read(tmp_path) == {"ready": True, "shut": {"disk": "磁盘"}}
    assert [path.name for path in tmp_path.iterdir()] == [snapshot.NAME]


def test_nothing_or_nonsense_reads_as_empty(tmp_path):
    assert snapshot.read(tmp_path) == {}
    (tmp_path / snapshot.NAME).write_text("{")
    assert snapshot.read(tmp_path) == {}
    (tmp_path / snapshot.NAME).write_text("[1]")
    assert snapshot.read(tmp_path) == {}


def test_several_threads_are_one_sum():
    one, two = Counters(), Counters()
    one.add("stored", 2)
    two.add("stored", 3)
    two.feed("his", "stored")
    found = snapshot.merged([one, two])
    assert found["counts"] == {"stored": 5}
    assert found["feeds"]["his"]["stored"] == 1


def test_several_listeners_are_one_histogram():
    one, two = Times(), Times()
    one.add(0.001)
    two.add(9)
    found = snapshot.times([one, two])
    assert found["count"] == found["buckets"]["+Inf"] == 2
    assert found["buckets"]["5.0"] == 1
