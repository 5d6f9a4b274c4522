"""Settings: what overrides what, and sentences that lead to the place of a mistake."""

import os
from pathlib import Path

import pytest

from gateway import settings
from gateway.errors import GatewayError


@pytest.fixture
def toml(tmp_path):
    def write(text):
        path = tmp_path / "gateway.toml"
        path.write_text(text, encoding="utf-8")
        return path

    return write


def load(**options):
    return settings.load(environment={}, **options)


def test_everything_has_a_default_that_works_without_a_file(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    found = load()
    assert found.database == f"sqlite:///{Path('var/gateway.db')}"
    assert (found.host, found.port, found.mllp_host, found.mllp_port) == (
        "127.0.0.1",
        8000,
        "127.0.0.1",
        2575,
    )
    assert found.public_url == "http://127.0.0.1:8000/fhir"
    assert found.max_message_bytes == 32 * 1024 * 1024
    assert found.installation_key_file == Path("var/installation.key")
    assert found.insecure_local is False
    assert found.profiles.name == "profiles"


def test_options_override_variables_and_variables_override_the_file(toml):
    file = toml("port = 1\nmllp_port = 2\npage_size = 3\n")
    environment = {"GATEWAY_MLLP_PORT": "20", "GATEWAY_PAGE_SIZE": "30", "HOME": "/nowhere"}
    found = settings.load(file, environment, page_size=300, host=None)
    assert (found.port, found.mllp_port, found.page_size) == (1, 20, 300)
    assert found.host == "127.0.0.1"
    assert found.sources["port"] == f"port in {file}"
    assert found.sources["mllp_port"] == "the variable GATEWAY_MLLP_PORT"
    assert found.sources["page_size"] == "the option --page-size"


def test_the_environment_of_the_process_is_read_by_default(monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith("GATEWAY_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("GATEWAY_ZONE", "Asia/Urumqi")
    monkeypatch.setenv("GATEWAY_SUPERVISOR", "17")
    assert settings.load().zone == "Asia/Urumqi"


def test_an_empty_variable_is_not_given():
    assert settings.load(environment={"GATEWAY_PORT": ""}).port == 8000


def test_database_and_links_follow_the_settings_they_are_made_of():
    found = load(data=Path("/srv/gateway"), host="::1", port=80)
    assert found.database == "sqlite:////srv/gateway/gateway.db"
    assert found.public_url == "http://[::1]:80/fhir"
    assert found.installation_key_file == Path("/srv/gateway/installation.key")
    assert load(database="postgresql://gateway@db/gateway").database == "postgresql://gateway@db/gateway"


def test_paths_of_a_file_are_relative_to_the_file(toml, tmp_path):
    file = toml('data = "keep"\nmappings = ["county", "/opt/mappings"]\nmllp_tls_cert="c"\nmllp_tls_key="k"\n')
    found = settings.load(file, {})
    assert found.data == tmp_path / "keep"
    assert found.mappings == (tmp_path / "county", Path("/opt/mappings"))
    assert found.mllp_tls_cert == tmp_path / "c"


def test_folders_of_a_variable_are_split_as_the_system_does():
    found = settings.load(environment={"GATEWAY_MAPPINGS": os.pathsep.join(("a", "b"))})
    assert found.mappings == (Path("a"), Path("b"))


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("max_message_bytes", "16 MiB", 16 * 1024 * 1024),
        ("max_message_bytes", "2kb", 2000),
        ("max_message_bytes", 99, 99),
        ("insecure_local", "Yes", True),
        ("insecure_local", "0", False),
        ("frame_deadline", "2.5", 2.5),
        ("log_level", "WARNING", "warning"),
        ("mllp_port", 0, 0),
        ("public_url", "https://health.example/fhir/", "https://health.example/fhir"),
    ],
)
def test_values_are_read_as_people_write_them(name, value, expected):
    assert getattr(load(**{name: value}), name) == expected


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("port", "http"),
        ("port", 70000),
        ("port", True),
        ("batch_size", 0),
        ("batch_size", 2.5),
        ("max_message_bytes", "a lot"),
        ("max_message_bytes", "3 parsecs"),
        ("max_message_bytes", 0),
        ("frame_deadline", "soon"),
        ("frame_deadline", 0),
        ("frame_deadline", "nan"),
        ("insecure_local", "perhaps"),
        ("log_level", "loud"),
        ("zone", "Asia/Atlantis"),
        ("zone", "../etc"),
        ("host", " "),
        ("data", ""),
        ("data", 3),
        ("mappings", 3),
        ("base_url", "health.example"),
        ("base_url", "https://health.example/fhir?x"),
        ("listeners", 3),
        ("listeners", ["lab"]),
        ("listeners", "not json"),
    ],
)
def test_a_wrong_value_names_the_setting_and_each_place(name, value):
    with pytest.raises(GatewayError) as caught:
        load(**{name: value})
    option = "--" + name.replace("_", "-")
    for part in (name, repr(value), option, f"GATEWAY_{name.upper()}", "gateway.toml"):
        assert part in caught.value.text
    assert caught.value.where == f"the option {option}"


@pytest.mark.parametrize("name", ["mlp_port", "Port", "database_url"])
def test_an_unknown_key_names_the_nearest(toml, name):
    nearest = {"mlp_port": "mllp_port", "Port": "port", "database_url": "database"}[name]
    file = toml(f"{name} = 1\n")
    with pytest.raises(GatewayError, match=f"the nearest is '{nearest}'") as caught:
        settings.load(file, {})
    assert caught.value.where == f"{name} in {file}"


def test_an_unknown_variable_is_told():
    with pytest.raises(GatewayError, match="'mllp_port'") as caught:
        settings.load(environment={"GATEWAY_MLLPPORT": "1"})
    assert caught.value.where == "the variable GATEWAY_MLLPPORT"


def test_reading_an_unknown_attribute_names_the_nearest():
    with pytest.raises(AttributeError, match="'zone'"):
        _ = load().zones


def test_a_missing_setting_names_each_place_tried(toml):
    file = toml("port = 1\n")
    with pytest.raises(GatewayError) as caught:
        settings.load(file, {}).need("mllp_tls_ca")
    for part in ("--mllp-tls-ca", "GATEWAY_MLLP_TLS_CA", str(file)):
        assert part in caught.value.text
    assert load().need("port") == 8000


def test_a_named_file_must_be_there(tmp_path):
    with pytest.raises(GatewayError, match="no settings file"):
        settings.load(tmp_path / "none.toml", {})


def test_a_broken_file_says_where(toml):
    file = toml("port = = 1")
    with pytest.raises(GatewayError, match="cannot be read") as caught:
        settings.load(file, {})
    assert caught.value.where == str(file)


def test_settings_that_belong_together():
    with pytest.raises(GatewayError, match="belong together"):
        load(mllp_tls_cert="a.pem")
    with pytest.raises(GatewayError, match="max_page_size"):
        load(page_size=50, max_page_size=20)


def test_tables_of_listeners_and_folders(toml, tmp_path):
    file = toml(
        '[[listeners]]\nname = "lab"\nport = 2600\ntls_cert = "lab.pem"\n'
        '[[folders]]\npath = "drop"\nfeed = "township-csv"\n'
    )
    found = settings.load(file, {})
    assert found.listeners == (
        {
            "name": "lab",
            "host": "127.0.0.1",
            "port": 2600,
            "tls_cert": tmp_path / "lab.pem",
            "tls_key": None,
            "tls_ca": None,
        },
    )
    assert found.folders == ({"path": tmp_path / "drop", "feed": "township-csv"},)


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ('[[listeners]]\nname = "lab"\n', "lacks 'port'"),
        ('[[listeners]]\nname = "lab"\nprot = 1\n', "nearest is 'port'"),
        ('[[folders]]\npath = 3\nfeed = "x"\n', "write a path"),
    ],
)
def test_a_wrong_table_is_told(toml, text, part):
    with pytest.raises(GatewayError, match=part):
        settings.load(toml(text), {})


def test_a_process_started_by_this_one_has_the_same_settings(toml, tmp_path):
    file = toml('port = 9\n[[folders]]\npath = "drop"\nfeed = "x"\n')
    first = settings.load(file, {}, data=tmp_path / "d", mappings=(tmp_path / "a", tmp_path / "b"), insecure_local=True)
    handed = {name: value for name, value in first.environment().items() if name.startswith("GATEWAY_")}
    second = settings.load(tmp_path / "gateway.toml", handed)
    assert second.values == first.values


def test_the_table_is_fit_for_the_documentation():
    names = [setting.name for setting in settings.SETTINGS]
    assert len(names) == len(set(names))
    assert all(setting.help.endswith(".") for setting in settings.SETTINGS)


def test_shipped_folders_are_found_in_the_checkout():
    assert (settings.shipped("profiles") / "naming").is_dir()


def test_shipped_folders_are_found_in_an_installed_package(tmp_path, monkeypatch):
    inside = tmp_path / "gateway" / "_shipped" / "profiles"
    inside.mkdir(parents=True)
    (tmp_path / "profiles").mkdir()
    monkeypatch.setattr(settings.resources, "files", lambda name: tmp_path / name)
    assert settings.shipped("profiles") == inside


def test_a_missing_shipped_folder_names_both_places():
    with pytest.raises(GatewayError, match="_shipped"):
        settings.shipped("nothing-of-the-kind")


def test_a_child_process_reads_the_tables_its_parent_was_given(tmp_path):
    parent = settings.load(environment={}, listeners=[{"name": "second", "port": 2580}])
    child = settings.load(environment=parent.environment())
    assert child.listeners == parent.listeners
