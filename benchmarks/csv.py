"""Exports: rows of one file, bytes in until stored and searchable, with polars' reading alone as the yardstick.

The file is dropped into a watched folder of a running gateway; the time runs from its arrival in the inbox until its
last row is applied. Then the same file with three changed rows, and the same file again, show what unchanged rows cost.
"""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[0] = str(ROOT)  # the folder of this file would hide the standard csv

import argparse
import io
import json
import statistics
import subprocess
import tempfile
import time

import psutil

from gateway.store.engine import Store, open_store
from gateway.store.rows import FileState
from gateway.store.values import State, WorkFilter

_FAMILY = "王李张刘陈杨黄赵吴周"
_GIVEN = "伟芳娜敏静强磊洋勇艳杰娟涛明超"
_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


def main() -> None:
    """Run the benchmark and print one table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--database", default="sqlite", help="sqlite, or postgresql (a server is started)")
    parser.add_argument("--table", default="insurance_enrolment", choices=sorted(TABLES))
    parser.add_argument("--rows", type=int, default=50_000)
    parser.add_argument("--port", type=int, default=18180)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="gateway-bench-") as home:
        run = Run(asked, Path(home))
        try:
            run.start()
            print(json.dumps(run.measure(), indent=1, ensure_ascii=False))
        finally:
            run.stop()


def resident_id(number: int) -> str:
    """Return an ID of area 519927, which was never given to a county, with its check digit."""
    head = f"519927{1940 + number % 70}{1 + number % 12:02d}{1 + number % 28:02d}{number % 1000:03d}"
    return head + "10X98765432"[sum(int(digit) * weight for digit, weight in zip(head, _WEIGHTS, strict=True)) % 11]


def _name(number: int) -> str:
    return _FAMILY[number % 10] + _GIVEN[number // 10 % 15] + _GIVEN[number // 150 % 15]


def _enrolment(number: int) -> str:
    fixed = "390,城乡居民基本医疗保险,1,20260101,,519927,柳溪镇河湾村,1501,,,,H51992700101"
    person = f"519927{number:014d},01,{resident_id(number)},{_name(number)},{1 + number % 2}"
    return f"{person},{fixed},{number % 300}.00,{number % 9000}.{number % 100:02d},20261001"


def _staff(number: int) -> str:
    person = f"G{number:06d},{_name(number)},{'男女'[number % 2]},{resident_id(number)}"
    work = f"MB{number % 40:016d},全科医学科,执业医师,主治医师,临床,内科,{number:015d},D519927{number % 10**6:06d}"
    return f"{person},{work},是,10000{number:06d},在岗,2020-01-01"


TABLES = {
    "insurance_enrolment": (
        "insurer-csv",
        "人员编号,证件类型,证件号码,姓名,性别,险种类型,险种名称,参保状态,参保日期,暂停日期,参保地区划,单位名称,人员类别,"
        "医疗救助类别,慢特病备案病种,慢特病有效期,签约定点机构编码,本年起付线累计,本年统筹支付累计,数据日期",
        _enrolment,
    ),
    "staff": (
        "township-csv",
        "工号,姓名,性别,身份证号,所属机构代码,所属科室,人员类别,专业技术职务,执业类别,执业范围,执业证书编码,医保医师代码,"
        "是否家庭医生,手机号码,在岗状态,入职日期",
        _staff,
    ),
}
"""Tables by name: the feed that sends them, their header, and a row by its number."""


def export(table: str, rows: int, changed: int = 0) -> bytes:
    """Return a file of a table; the first `changed` rows differ from those without."""
    _, header, make = TABLES[table]
    lines = [make(number) for number in range(rows)]
    for number in range(changed):
        lines[number] = lines[number].replace("柳溪镇河湾村", "石桥镇双龙村").replace("主治医师", "主任医师")
    return "\r\n".join([header, *lines, ""]).encode("gb18030")


class Run:
    """One gateway on an empty home that watches a folder."""

    def __init__(self, asked: argparse.Namespace, home: Path) -> None:
        self.asked = asked
        self.home = home
        self.feed = TABLES[asked.table][0]
        self.server = None
        self.gateway: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start database and gateway."""
        self.url = f"sqlite:///{self.home}/gateway.db"
        if self.asked.database == "postgresql":
            from tests.support import postgres  # noqa: PLC0415

            self.server = postgres.start({"fsync": "on", "full_page_writes": "on", "shared_buffers": "512MB"})
            self.url = self.server.create("bench")
        config = self.home / "gateway.toml"
        config.write_text(f'[[folders]]\npath = "{self.home}/exports"\nfeed = "{self.feed}"\n', encoding="utf-8")
        command = [sys.executable, "-m", "gateway", "serve", "--insecure-local", "--config", str(config)]
        command += ["--data", str(self.home), "--database", self.url]
        command += ["--port", str(self.asked.port), "--mllp-port", str(self.asked.port + 1)]
        self.gateway = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE)
        assert self.gateway.stdout is not None
        self.gateway.stdout.readline()

    def measure(self) -> dict[str, object]:
        """Send the file, the file with three changed rows, and that again."""
        rows, table = self.asked.rows, self.asked.table
        whole = export(table, rows)
        store = open_store(self.url, self.home)
        try:
            first = self._send(store, "1.csv", whole)
            made = _versions(store)
            changed = self._send(store, "2.csv", export(table, rows, changed=3))
            versions = _versions(store) - made
            again = self._send(store, "3.csv", export(table, rows, changed=3))
            yardstick = polars_seconds(whole)
            return {
                "database": self.asked.database,
                "table": f"{table}, {rows} rows of {whole.count(b',') // rows} commas",
                "rows/s to stored resources": round(rows / first),
                "resources/s": round(made / first),
                "times polars' reading alone": round(first / yardstick, 1),
                "polars s": round(yardstick, 3),
                "three rows changed: s, new versions": [round(changed, 2), versions],
                "unchanged rows/s": round(rows / again),
                "new versions of the same file again": _versions(store) - made - versions,
                "cpu seconds by process": self._cpu(),
            }
        finally:
            store.close()

    def _send(self, store: Store, name: str, raw: bytes) -> float:
        """Return the seconds from the file's arrival in the inbox until all of it is dealt with."""
        before = store.inbox.last_id()
        inbox = self.home / "exports" / "in"
        part = inbox / f"{name}.part"
        part.write_bytes(raw)
        part.rename(inbox / f"{self.asked.table}-{name}")
        while store.inbox.last_id() == before:
            time.sleep(0.02)
        arrived = time.monotonic()
        while not _done(store, before + 1):
            time.sleep(0.05)
        return time.monotonic() - arrived

    def _cpu(self) -> dict[str, float]:
        assert self.gateway is not None
        tree = psutil.Process(self.gateway.pid)
        times = {f"{one.name()} {one.pid}": one.cpu_times() for one in tree.children(recursive=True)}
        return {name: round(spent.user + spent.system, 1) for name, spent in times.items()}

    def stop(self) -> None:
        """Stop everything."""
        if self.gateway is not None:
            self.gateway.terminate()
            self.gateway.wait(30)
        if self.server is not None:
            self.server.stop()


def _done(store: Store, arrival: int) -> bool:
    with store.read() as tx:
        report = tx.file_report(arrival)
        if report is None or report.state != FileState.DONE:
            return False
        waiting = tx.work_list(WorkFilter([State.QUEUED, State.RETRY], limit=1))
    return not waiting


def _versions(store: Store) -> int:
    return store.outbox.last()


def polars_seconds(raw: bytes, runs: int = 5) -> float:
    """Return the median seconds polars needs to read the same file into a frame of texts."""
    import polars  # noqa: PLC0415

    times = []
    for _ in range(runs):
        start = time.perf_counter()
        polars.read_csv(io.BytesIO(raw.decode("gb18030").encode()), infer_schema=False)
        times.append(time.perf_counter() - start)
    return statistics.median(times)


if __name__ == "__main__":
    main()
