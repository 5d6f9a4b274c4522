"""What the exercise messages need beyond the tables: events, set ids, and fields that exclude each other."""

EVENTS = {
    "ADT_A01": ["A01", "A04", "A08"],
    "ADT_A02": ["A02"],
    "ADT_A05": ["A05", "A28", "A31"],
    "ADT_A06": ["A06", "A07"],
    "ADT_A09": ["A09", "A10", "A12"],
    "ADT_A11": ["A11"],
    "ADT_A17": ["A17"],
    "SIU_S12": ["S12", "S13", "S14", "S15", "S26"],
    "MDM_T02": ["T02", "T04", "T06", "T08", "T10"],
}
EXCLUSIVE: list[list[tuple[str, int]]] = [
    [("TQ1", 0), ("ORC", 7), ("OBR", 27), ("OBR", 6)],
    [("SPM", 0), ("OBR", 15)],
    [("IN1", 0), ("PV1", 20)],
    [("DG1", 4), ("DG1", 0)],
    [("OBX", 18), ("PRT", 10)],
]
ALWAYS: dict[str, dict[int, str]] = {
    "PID": {1: "1"},
    "PV1": {1: "1"},
    "OBR": {1: "1"},
    "OBX": {1: "1"},
    "NK1": {1: "1"},
    "DG1": {1: "1"},
    "AL1": {1: "1"},
    "IN1": {1: "1"},
    "SPM": {1: "1"},
    "TQ1": {1: "1"},
    "NTE": {1: "1"},
    "PR1": {1: "1"},
    "SFT": {},
    "AIS": {1: "1", 6: "min", 8: "min"},
    "AIG": {1: "1", 10: "min", 12: "h"},
    "AIL": {1: "1", 8: "min", 10: "min"},
    "AIP": {1: "1", 8: "min", 10: "min"},
    "RGS": {1: "1"},
    "ROL": {2: "AD"},
    "PRT": {2: "AD"},
}
OBX5 = {
    "SN": ">^100",
    "DTM": "20250304050607",
    "DT": "20250304",
    "TM": "101500",
    "IS": "POS",
}
LENGTHS = {"TQ1-5", "TQ1-6", "TQ1-13"}  # quantities (CQ) that are lengths of time
NEEDED = {("PID", 3), ("ORC", 2), ("ORC", 3), ("OBR", 4), ("OBX", 3), ("OBX", 5), ("PV1", 19), ("SPM", 2)}
MAX_VARIANTS = 40
WITHOUT = {("ORC", 5), ("PV1", 45), ("PID", 25), ("PID", 29)}
ROLES = {"ROL": (3, "HL70443", "ProviderRole"), "PRT": (4, "HL70912", "Participation")}
