"""Messages of invented persons whom two sites know: the county hospital, and a clinic nobody has configured."""

from tests.support.county import hl7, lab, msh

CLINIC = "CLINIC"
PHONE = "10013579246"


def hospital(control, patient="P1", number="", name="张三", birth="19800512", sex="M", phone=PHONE, **given):
    """Return what the hospital tells of one of its patients."""
    numbers = f"{patient}^^^^LocalID" + (f"~{number}^^^^IdentifyNO" if number else "")
    return hl7(msh(control, **given), f"PID|1||{numbers}||{name}||{birth}|{sex}|||||{phone}")


def clinic(control, patient="77", number="", name="张三", birth="19800512", sex="M", phone=PHONE, **given):
    """Return what the clinic tells of one of its patients."""
    numbers = f"{patient}^^^QCL^MR" + (f"~{number}^^^^NNCHN" if number else "")
    return hl7(msh(control, sender=CLINIC, **given), f"PID|1||{numbers}||{name}||{birth}|{sex}|||||{phone}")


def report(control, patient="P1"):
    """Return a laboratory report of the hospital."""
    return lab(control, f"R{control}", ("GLU", "5.1"), patient=patient)
