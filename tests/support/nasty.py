"""An invented township and words to send its nasty rows: exports by file name, messages, what was said of them."""

import csv
import io
import json
from datetime import date

from gateway.listeners.values import Who
from gateway.simulate import numbers
from gateway.store.values import arrival_of
from tests.support.county import hl7, msh

TOWN, INSURER, VILLAGE = "township-csv", "insurer-csv", "village-xlsx"
RESIDENT = "urn:oid:2.16.156.10011.1.3"
WANG, MAN = "11010519491231002X", "440524188001010014"  # the published sample numbers
ID = numbers.resident_id(date(1956, 8, 7), 31, "1")
OTHER = numbers.resident_id(date(1961, 3, 9), 32, "2")


class Town:
    """A gateway with everything it ships, and short words to send and to look."""

    def __init__(self, made):
        self.county = made
        self.store = made.store
        self.all, self.only, self.items, self.states = made.all, made.only, made.items, made.states

    def message(self, *raw):
        """Send messages and work; the whole of each must stand in the inbox, byte for byte."""
        before = len(self.items())
        self.county.run(*raw)
        kept = [self.store.inbox.raw(arrival_of(item.item_id)) for item in self.items()[before:]]
        assert all(one in raw for one in kept), "a byte was lost"

    def export(self, name, content, feed=TOWN):
        """Send an export and work; every row must be accounted for, every byte kept. Return its report."""
        raw = content if isinstance(content, bytes) else content.encode("gb18030")
        intake = self.county.gateway.intake()
        intake.start()
        try:
            answer = intake.take(raw, Who("folder", "test", feed=feed, file=name))
        finally:
            intake.stop(5)
        self.county.work()
        (report,) = [one for one in self.store.files.list() if one.arrival == answer.arrivals[0]]
        assert report.fresh + report.changed + report.unchanged + report.quarantined == report.records
        assert self.store.inbox.raw(report.arrival) == raw, "a byte was lost"
        return report

    def issues(self, at=-1):
        return [f"{issue[2]} @ {issue[3]}" for issue in json.loads(self.items()[at].issues)]

    def said(self, words, at=-1):
        return any(words in issue for issue in self.issues(at))

    def patients(self):
        return self.all("Patient")

    def people(self):
        return [one["name"][0]["text"] for one in self.patients()]


def table(*rows, delimiter=",", quoting=csv.QUOTE_MINIMAL):
    """Return an export with the columns of its rows."""
    with io.StringIO(newline="") as out:
        writer = csv.DictWriter(
            out, list(dict.fromkeys(name for row in rows for name in row)), delimiter=delimiter, quoting=quoting
        )
        writer.writeheader()
        writer.writerows(rows)
        return out.getvalue()


def resident(number=1, **cells):
    """Return a row of the health records of a township."""
    row = {"个人档案编号": f"5199271012010{number:04}", "姓名": f"张{'一二三四五六七八九'[number % 9]}", "性别": "1", "出生日期": "1956-08-07",
           "身份证号": "", "本人电话": f"100{number:08}", "建档日期": "2024-04-18", "档案状态": "1"}  # fmt: skip
    return row | cells


def contract(number=1, **cells):
    row = {"签约编号": f"QY20260312{number:05}", "签约状态": "1", "签约来源": "0", "人群分类": "03", "签约人姓名": "王桂兰", "身份证号": WANG,
           "联系电话": "10000000017", "团队编号": "TD0101", "签约团队": "一团队", "签约机构": "柳溪镇中心卫生院", "开始日期": "2026-03-12",
           "结束日期": "2027-03-11", "签约日期": "2026-03-12", "录入日期": "2026-03-12 10:00:00", "签约周期": "1年"}  # fmt: skip
    return row | cells


def visit(number=1, **cells):
    row = {"就诊流水号": f"JZ{number:06}", "机构代码": "MB000101151992711C2101", "机构名称": "柳溪镇中心卫生院", "门诊号": "", "姓名": "王桂兰",
           "性别": "女", "出生日期": "1949-12-31", "身份证号": WANG, "就诊科室": "全科", "就诊时间": "2026-10-01 08:05:00", "主诉": "头晕3天",
           "主要诊断编码": "I10.x00", "主要诊断名称": "高血压"}  # fmt: skip
    return row | cells


def referral(number=1, **cells):
    row = {"转诊单号": f"ZZS{number:06}", "转诊类型": "1", "转诊状态": "1", "病人姓名": "王桂兰", "病人性别": "2", "病人身份证号": WANG,
           "申请机构代码": "MB000101151992711C2101", "申请机构名称": "柳溪镇中心卫生院", "申请日期": "2026-10-12 09:00:00",
           "转入医院代码": "MB000001951992711A1001", "转入医院名称": "青禾县人民医院", "转诊诊断": "I10.x00 高血压3级", "原转诊单号": ""}  # fmt: skip
    return row | cells


def enrolment(number=1, **cells):
    row = {"人员编号": f"5199270000000000{number:04}", "证件类型": "01", "证件号码": WANG, "姓名": "王桂兰", "性别": "2", "险种类型": "390",
           "险种名称": "城乡居民基本医疗保险", "参保状态": "1", "参保日期": "2021-01-01", "参保地区划": "519927", "人员类别": "1501",
           "数据日期": "2026-10-01"}  # fmt: skip
    return row | cells


def result(number=1, **cells):
    row = {"条码号": f"261001000{number:04}", "报告单号": f"2026100100{number:02}", "样本号": str(number), "就诊卡号": "K00017731",
           "姓名": "王桂兰", "年龄": "76岁", "标本类型": "血清", "采样时间": "2026-10-01 08:10:00", "审核时间": "2026-10-01 10:02:11",
           "报告状态": "已审核", "项目代码": "GLU", "项目名称": "葡萄糖", "结果": "6.80", "单位": "mmol/L", "参考范围": "3.9-6.1"}  # fmt: skip
    return row | cells


def followup(number=1, **cells):
    row = {"随访编号": f"SF{number:06}", "个人档案编号": "51992710120100001", "姓名": "王桂兰", "身份证号": WANG, "随访日期": "2026-09-11",
           "随访方式": "1", "收缩压(mmHg)": "158", "舒张压(mmHg)": "94", "药物不良反应": "1", "随访分类": "2", "随访医生": "李安",
           "录入日期": "2026-09-11 12:00:00"}  # fmt: skip
    return row | cells


def national(person):
    return [entry["value"] for entry in person.get("identifier", ()) if entry["system"] == RESIDENT]


def visitor(control, number, visit_card="", resident_id="", name="王桂兰", **given):
    """Return a registration as a county HIS sends it."""
    numbers_ = f"{number}^^^^LocalID~{resident_id}^^^^IdentifyNO~{visit_card}^^^^IDCard"
    birth, sex = given.get("birth", "19491231"), given.get("sex", "F")
    return hl7(
        msh(control, given.get("event", "ADT^A04"), time=given.get("time", "20261001080000")),
        f"PID|1||{numbers_}||{name}||{birth}|{sex}|||||{given.get('phone', '')}||||||{resident_id}",
        f"PV1|1|O|^^^4500^呼吸内科||||||||||||||||{given.get('visit', '')}",
    )


def worded(result_):
    """Return a result that is no number as the text it was sent as."""
    if "valueRatio" in result_:
        return ":".join(str(result_["valueRatio"][part]["value"]) for part in ("numerator", "denominator"))
    concept = result_["valueCodeableConcept"]
    return concept.get("text") or " ".join(str(coding.get("display", "")) for coding in concept["coding"])


def codes(concept):
    return [coding.get("code") for coding in concept.get("coding", ())]
