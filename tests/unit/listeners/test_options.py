from pathlib import Path

from gateway.listeners.options import FolderOptions, MllpOptions, TlsFiles, from_settings
from gateway.settings import load


def test_defaults_are_one_plain_port(tmp_path):
    options = from_settings(load(environment={}, data=tmp_path))
    assert options.mllp == (MllpOptions(),)
    assert options.folders == ()
    assert (options.data, options.group, options.failpoint) == (tmp_path, 256, "")


def test_every_setting_arrives(tmp_path):
    file = tmp_path / "gateway.toml"
    file.write_text(
        """
        mllp_port = 3000
        mllp_tls_cert = "c.pem"
        mllp_tls_key = "k.pem"
        mllp_tls_ca = "a.pem"
        max_message_bytes = "1 MiB"
        frame_deadline = 5
        min_free_bytes = "2 GiB"
        [[listeners]]
        name = "lab"
        port = 3001
        [[folders]]
        path = "/srv/village"
        feed = "village-xlsx"
        """
    )
    options = from_settings(load(file, environment={}), ready_file=tmp_path / "ready")
    main, lab = options.mllp
    assert (main.port, main.max_frame, main.frame_deadline) == (3000, 1024 * 1024, 5.0)
    assert main.tls == TlsFiles(tmp_path / "c.pem", tmp_path / "k.pem", tmp_path / "a.pem")
    assert (lab.name, lab.port, lab.tls, lab.max_frame) == ("lab", 3001, None, 1024 * 1024)
    assert options.folders == (FolderOptions(Path("/srv/village"), "village-xlsx"),)
    assert options.gate.min_free_bytes == 2 * 1024**3
    assert options.ready_file == tmp_path / "ready"
