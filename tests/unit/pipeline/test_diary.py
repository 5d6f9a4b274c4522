from gateway.pipeline.diary import Diary


def test_nothing_is_left_by_a_worker_that_never_was(tmp_path):
    assert Diary(tmp_path / "diary.json").left() == {}


def test_what_was_in_hand_comes_back_with_one_more_death(tmp_path):
    Diary(tmp_path / "diary.json").open([3, 4])
    assert Diary(tmp_path / "diary.json").left() == {3: 1, 4: 1}
    Diary(tmp_path / "diary.json").open([3], 1)
    assert Diary(tmp_path / "diary.json").left() == {3: 2}


def test_an_orderly_end_leaves_nothing(tmp_path):
    diary = Diary(tmp_path / "diary.json")
    diary.open([3])
    diary.close()
    assert diary.left() == {}


def test_a_diary_cut_off_by_a_power_loss_is_empty(tmp_path):
    (tmp_path / "diary.json").write_text('{"3": ', encoding="ascii")
    assert Diary(tmp_path / "diary.json").left() == {}


def test_the_end_of_the_whole_gateway_is_held_against_no_message(tmp_path, monkeypatch):
    Diary(tmp_path / "diary.json").open([3], 1)
    monkeypatch.setattr("gateway.pipeline.diary.os.getppid", lambda: 1)
    assert Diary(tmp_path / "diary.json").left() == {3: 1}
