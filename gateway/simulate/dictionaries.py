"""Rows of the county's dictionaries: institutions, staff, teams, packages, items, drugs, population."""

from collections.abc import Iterator
from datetime import date

from gateway.simulate import numbers
from gateway.simulate.catalogue import book
from gateway.simulate.desk import Desk
from gateway.simulate.nasty import mark
from gateway.simulate.values import Person, Row, Staff, Town, Village

_UPDATED = "-01-05 09:12:44"


def organisations(desk: Desk, day: date) -> list[Row]:
    """Return every institution: the hospital and its second campus, centres, village rooms, one that was merged."""
    hospital = book("county")["hospital"]
    society = numbers.society_code("12519927MB0000019")
    base = {
        "机构代码": hospital["code"], "机构名称": hospital["name"], "第二名称": hospital["second_name"],
        "机构类别代码": "A100",
        "医院级别": "2", "医院等次": "甲等", "统一社会信用代码": society, "医保定点机构编码": hospital["insurer_code"],
        "行政区划代码": "519927", "详细地址": hospital["address"], "联系电话": hospital["phone"], "停用标志": "0",
        "更新时间": f"{day.year}{_UPDATED}",
    }  # fmt: skip
    campus = dict(base) | {
        "机构代码": hospital["campus"]["code"],
        "机构名称": hospital["campus"]["name"],
        "第二名称": "",
    }
    campus |= {"上级机构代码": hospital["code"]}
    note = "one social credit code for two campuses: an Organization each, one part of the other"
    rows = [Row(base), Row(campus, 0, [mark("27.campus", note, resource="Organization")]), _merged(desk, base)]
    for town in desk.places.towns:
        rows.append(Row(base | _centre(town, hospital["code"])))
        rows += [Row(_room(town, place, day)) for place in town.villages]
    return rows


def _centre(town: Town, parent: str) -> dict[str, str]:
    return {
        "机构代码": town.code, "机构名称": town.centre, "第二名称": f"青禾县人民医院{town.name[:-1]}分院",
        "机构类别代码": town.code[-5:-1], "医院级别": "1", "统一社会信用代码": town.society,
        "医保定点机构编码": town.insurer_code,
        "上级机构代码": parent, "行政区划代码": town.area, "详细地址": f"青禾县{town.name}正街18号",
        "联系电话": numbers.phone(5_330_000 + town.number),
    }  # fmt: skip


def _room(town: Town, place: Village, day: date) -> dict[str, str]:
    return {
        "机构代码": f"{place.code}001", "机构名称": place.clinic, "机构类别代码": "D600", "医院级别": "9",
        "医保定点机构编码": town.insurer_code, "上级机构代码": town.code, "行政区划代码": place.code,
        "详细地址": f"{town.name}{place.name}", "停用标志": "0", "更新时间": f"{day.year - 1}/6/3 0:00:00",
    }  # fmt: skip


def _merged(desk: Desk, base: dict[str, str]) -> Row:
    gone, into = book("county")["merged"], desk.places.towns[0]
    words = base | {
        "机构代码": "MB00010991992711C2201", "机构名称": f"{gone['name']}卫生院", "第二名称": "",
        "机构类别代码": "C220",
        "医院级别": "1", "统一社会信用代码": numbers.society_code("12519927MB0001099"),
        "医保定点机构编码": "H51992700199",
        "上级机构代码": into.code, "行政区划代码": gone["code"], "停用标志": "1",
    }  # fmt: skip
    note = "merged into another township: kept as its part, not active, its numbers still lead somewhere"
    return Row(words, 0, [mark("27.merged", note, resource="Organization", into=into.code)])


def staff(desk: Desk) -> Iterator[Row]:
    """Yield who works where; a specialist who also works in a township has two rows."""
    for one in desk.places.hospital:
        yield _employed(one)
    specialist = desk.places.doctor("0302", 0)
    for town in desk.places.towns:
        for one in town.staff:
            yield _employed(one)
        yield Row(_employed(specialist).cells | {"所属机构代码": town.code, "所属科室": "全科医疗科"})
        for place in town.villages:
            if place.doctor:
                yield _employed(place.doctor)


def _employed(one: Staff) -> Row:
    rural = one.number.startswith("V")
    licence = "" if rural else f"11051992700{one.number}"
    shown = f"{one.phone[:3]} {one.phone[3:7]} {one.phone[7:]}" if rural else one.phone
    return Row({
        "工号": one.number, "姓名": one.name, "性别": ("男" if one.sex == "1" else "女") if rural else one.sex,
        "身份证号": one.id,
        "所属机构代码": one.house, "所属科室": one.room, "人员类别": "乡村医生" if rural else "01",
        "专业技术职务": one.title,
        "执业类别": "乡村医生" if rural else "临床",
        "执业范围": "" if rural else "全科医学专业" if one.family_doctor else "内科专业",
        "执业证书编码": licence, "医保医师代码": "" if rural else f"D51992700{one.number}",
        "是否家庭医生": "1" if one.family_doctor else "0", "手机号码": shown, "在岗状态": "在岗" if rural else "1",
        "入职日期": f"{one.birth.year + 25}0701",
    })  # fmt: skip


def teams(desk: Desk) -> Iterator[Row]:
    """Yield the members of the family-doctor teams."""
    for team in (team for town in desk.places.towns for team in town.teams):
        area = ",".join(village.name for village in team.town.villages)
        for one, role in team.members:
            yield Row({
                "团队编号": team.code, "团队名称": team.name, "团队类型": team.kind, "所属机构代码": team.town.code,
                "所属机构": team.town.centre, "团队长": team.leader.name, "成员工号": one.number,
                "成员姓名": one.name, "成员角色": role,
                "执业机构": one.house_name, "联系电话": one.phone, "责任区域": area, "签约上限人数": "2000",
                "加入日期": "2024-01-01", "退出日期": "9999-12-31" if one.number.startswith("V") else "",
            })  # fmt: skip


def packages(day: date) -> Iterator[Row]:
    """Yield the items of the packages; the shares of the payers add up to the price."""
    for pack in book("county")["packages"]:
        for item in pack["items"]:
            whole = item["times"] * item["price"]
            shares = [f"{value:.2f}" for value in item["shares"]]
            payers = dict(zip(("医保支付", "公卫补助", "财政补助", "优惠减免", "个人自付"), shares, strict=True))
            yield Row({
                "服务包编号": pack["code"], "服务包名称": pack["name"], "服务包级别": pack["tier"],
                "收费类型": pack["kind"],
                "适用人群": pack["for"], "项目编码": item["code"], "项目名称": item["name"], "项目类别": item["block"],
                "年服务次数": str(item["times"]), "计量单位": "次", "项目单价": f"{item['price']:.2f}",
                "项目合计": f"{whole:.2f}",
                "执行机构级别": item["at"], "标化工作量": f"{item['load']}", "启用日期": f"{day.year}-01-01",
            } | payers)  # fmt: skip


def items(desk: Desk, day: date) -> Iterator[Row]:
    """Yield the laboratory items of the hospital and, with other methods and ranges, of the townships."""
    hospital = book("county")["hospital"]["code"]
    panels = book("clinic")["panels"]
    specimens = {code: panel["specimen"][1] for panel in panels.values() for code in panel["items"]}
    for turn, (code, item) in enumerate(book("clinic")["items"].items()):
        star = item["name"].startswith("★")
        words = {
            "机构代码": hospital, "本地项目代码": code, "本地项目名称": item["name"], "项目类别": "检验",
            "标本或部位": specimens[code],
            "检测方法": "离子选择电极法" if code in ("K", "NA") else "比色法", "单位": item.get("unit", ""),
            "参考下限": str(item.get("low", "")), "参考上限": str(item.get("high", "")),
            "互认标志": "1" if star else "0",
            "互认级别": "省HR" if star else "", "收费项目编码": f"2503040{turn:02d}", "单价": f"{6 + turn % 9}.00",
            "质评组织单位": "省临床检验中心" if star else "", "质评周期": f"{day.year}年第1次" if star else "",
            "质评结果": "合格" if star else "", "质评有效期至": f"{day.year}-12-31" if star else "", "启用标志": "1",
        }  # fmt: skip
        yield Row(words)
        if code in ("K", "GLU", "CR"):
            for town in desk.places.towns:
                here = {
                    "机构代码": town.code,
                    "本地项目名称": f"{item['name'].strip('★')}(干化学)",
                    "标本或部位": "全血",
                }
                poor = {
                    "检测方法": "干化学法",
                    "互认标志": "0",
                    "互认级别": "",
                    "质评结果": "未参加",
                    "质评组织单位": "",
                    "质评周期": "",
                }
                yield Row(words | here | poor | {"质评有效期至": "", "单价": "6.00"})


def drugs(desk: Desk) -> Iterator[Row]:
    """Yield each institution's drugs; the same one has another code and spelling in the township."""
    hospital = book("county")["hospital"]["code"]
    for turn, drug in enumerate(book("clinic")["drugs"]):
        words = {
            "机构代码": hospital, "药品编码": drug["code"], "通用名": drug["name"], "剂型": drug["form"],
            "规格": drug["spec"],
            "包装单位": "盒", "最小单位": drug["unit"], "生产企业": "示例制药",
            "批准文号": f"国药准字H0000000{turn + 1}",
            "基药标志": "1", "医保类别": "甲", "可延伸处方标志": "1" if drug["for"] else "0",
            "库存数量": str(1200 - 90 * turn),
            "单价": f"{drug['price']:.2f}", "停用标志": "0",
        }  # fmt: skip
        yield Row(words)
        for town in desk.places.towns:
            stock = desk.streams.of("stock", town.code, drug["code"]).whole(0, 80)
            spec = f"{drug['spec'].replace('*', '×')}/盒"
            yield Row(
                words
                | {"机构代码": town.code, "药品编码": drug["local"], "规格": spec, "库存数量": str(max(0, stock - 20))}
            )


def population(desk: Desk, day: date) -> Iterator[Row]:
    """Yield the denominators by township and village: counts of the registered, and estimates beside them."""
    here: dict[str, list[Person]] = {}
    for one in desk.registry.people:
        if not one.died:
            here.setdefault(one.village.code, []).append(one)
    for town in desk.places.towns:
        together = [one for village in town.villages for one in here.get(village.code, ())]
        yield Row(_counted(day, town.area, town.name, together, estimated=True))
        for village in town.villages:
            yield Row(_counted(day, village.code, village.name, here.get(village.code, []), estimated=False))


def _counted(day: date, code: str, name: str, people: list[Person], *, estimated: bool) -> dict[str, str]:
    ages = [one.age(day) for one in people]
    adults, old = sum(age >= 18 for age in ages), sum(age >= 65 for age in ages)
    return {
        "统计年度": str(day.year), "行政区划代码": code, "名称": name, "户籍人口": str(round(len(ages) * 1.3)),
        "常住人口": str(len(ages)) if estimated else "", "0-6岁儿童": str(sum(age <= 6 for age in ages)),
        "孕产妇": str(round(len(ages) * 0.007)), "60岁及以上": str(sum(age >= 60 for age in ages)),
        "65岁及以上": str(old),
        "残疾人": str(round(len(ages) * 0.029)), "高血压估算患者数": str(round(adults * 0.275)) if estimated else "",
        "糖尿病估算患者数": str(round(adults * 0.128)) if estimated else "",
        "严重精神障碍在册": str(round(len(ages) * 0.005)),
        "肺结核在册": str(round(len(ages) * 0.0005)), "脱贫人口": str(round(len(ages) * 0.09)),
        "数据来源": "统计局年报;患病率测算" if estimated else "村委会",
        "发布日期": f"{day.year}-02-10" if estimated else f"{day.year}-3",
    }  # fmt: skip
