"""Lets the tests import the tools, which stand beside the package, and offers a guide of a few rows."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2]))

SEGMENT_HEAD = (
    "HL7 v2,,,,,,Condition (IF True),,,HL7 FHIR,,,,,,,,,Comments\n"
    "Sort Order,Identifier,Name,Data Type,Cardinality - Min,Cardinality - Max,Computable ANTLR,"
    "Computable FHIRPath,Narrative,FHIR Attribute,,Data Type,Cardinality - Min,Cardinality - Max,"
    'Data Type Mapping,"Vocabulary Mapping\n(IS, ID, CE, CNE, CWE)",Assignment,,\n'
)
MESSAGE_HEAD = (
    "HL7 v2,,,,,,Condition (IF True),,,HL7 FHIR,,,,Comments\n"
    "Sort Order,Identifier,Syntax,Name,Cardinality - Min,Cardinality - Max,Computable ANTLR,"
    "Computable FHIRPath,Narrative,Primary Target,Segment Map,References,,\n"
)
CODES = (
    "HL7 v2,,,Condition (IF True),,,HL7 FHIR,,,,,Comments\n"
    "Code,Text,Code System,Computable ANTLR,Computable FHIRPath,Narrative,Code,,Display,Code System,,\n"
    "F,Female,HL70001,,,,female,,Female,http://hl7.org/fhir/administrative-gender,,\n"
    "M,Male,HL70001,,,,male,,Male,http://hl7.org/fhir/administrative-gender,,\n"
    ",,,,,,other,,Other,http://hl7.org/fhir/administrative-gender,,\n"
    "X,Nothing,HL70001,,,,,,,,,\n"
)
TABLES = {
    "messages/HL7 Message - FHIR R4_ ADT_A01 - Sheet1.csv": MESSAGE_HEAD
    + "1,ADT_A01.MSH,MSH,Message Header,1,1,,,,,,,,\n"
    + "2,ADT_A01.PID,PID,Patient,1,1,,,,Patient[1],PID[Patient],,,\n"
    + "3,ADT_A01.PV1,PV1,Visit,1,1,,,,Encounter[1],PV1[Encounter],,,\n"
    + "4,ADT_A01.KIN,[{,--- KIN begin,0,-1,,,,,,,,\n"
    + '4.1,ADT_A01.KIN.NK1,NK1,Kin,0,-1,"IF NK1-3.1 NOT IN (""EMR"", ""E"")",,,Patient[1],NK1[Patient],,,\n'
    + "4.2,/ADT_A01.KIN,}],--- KIN end,,,,,,,,,,\n",
    "segments/HL7 Segment - FHIR R4_ PID[Patient] - PID.csv": SEGMENT_HEAD
    + "1,PID-1,Set ID,SI,0,1,,,,,,,,,,,,,\n"
    + "3,PID-3,Identifiers,CX,1,-1,,,,identifier[2],,Identifier,0,-1,CX[Identifier],,,,\n"
    + "5,PID-5,Name,XPN,1,-1,,,,name[1],,HumanName,0,-1,XPN[HumanName],,,,\n"
    + "7,PID-7,Birth,DTM,0,1,,,,birthDate,,date,0,1,,,,,\n"
    + "7,PID-7,Birth,DTM,0,1,IF PID-7 LENGTH GREATER THAN 8,,,birthDate.extension[1].url,,uri,1,1,,,"
    + '"""http://hl7.org/fhir/StructureDefinition/patient-birthTime""",,\n'
    + "8,PID-8,Sex,CWE,0,1,,,,gender,,code,0,1,CWE[code],AdministrativeSex,,,\n"
    + "10,PID-10,Race,CWE,0,1,,,In words only,extension,,,,,,,,,\n",
    "segments/HL7 Segment - FHIR R4_ NK1[Patient] - NK1.csv": SEGMENT_HEAD
    + "2,NK1-2,Name,XPN,0,1,,,,contact.name,,HumanName,0,1,XPN[HumanName],,,,\n",
    "segments/HL7 Segment - FHIR R4_ PV1[Encounter] - PV1.csv": ","
    + SEGMENT_HEAD.split("\n", 1)[0].split(",", 1)[1]
    + "\n,,,,,,Computable ANTLR,Computable FHIRPath,Narrative,FHIR Attribute,,Data Type,Cardinality - Min,"
    + 'Cardinality - Max,Data Type Mapping,"Vocabulary Mapping\n(IS)",Assignment,,\n'
    + "7,PV1-7,Doctor,XCN,0,-1,,,,participant[1].individual(Practitioner),,Reference,0,1,XCN[Practitioner],,,,\n"
    + '7,PV1-7,Doctor,XCN,0,-1,,,,participant[1].type.coding.code,,code,0,1,,,"""ATND""",,\n',
    "datatypes/HL7 Data Type - FHIR R4_ XPN[HumanName] - Sheet1.csv": SEGMENT_HEAD
    + "1,XPN.1,Family,ST,0,1,,,,[1].family,,string,0,1,,,,,\n"
    + "2,XPN.2,Given,ST,0,1,,,,[1].given[1],,string,0,-1,,,,,\n",
    "datatypes/HL7 Data Type - FHIR R4_ XCN[Practitioner] - Sheet1.csv": SEGMENT_HEAD
    + "1,XCN.1,Number,ST,0,1,,,,identifier[1].value,,string,0,1,,,,,\n"
    + "2,XCN.9,Where,HD,0,1,,,,identifier[1].system,,uri,0,1,HD[uri],,,,\n",
    "datatypes/HL7 Data Type - FHIR R4_ HD[uri] - Sheet1.csv": SEGMENT_HEAD
    + "1,HD.1,Name,IS,0,1,,,,$value,,url,0,1,,,,,\n"
    + '2,HD.2,Universal,ST,0,1,"IF HD.1 NOT VALUED AND IF HD-3 = ""ISO""",,,$value,,url,0,1,,,'
    + '"""urn:oid:""+HD.2",,\n',
    "datatypes/HL7 Data Type - FHIR R4_ CX[Identifier] - Sheet1.csv": SEGMENT_HEAD
    + "1,CX.1,Number,ST,1,1,,,,value,,string,0,1,,,,,\n",
    "datatypes/HL7 Data Type - FHIR R4_ CWE[code] - Sheet1.csv": SEGMENT_HEAD
    + "1,CWE.1,Code,ST,0,1,,,,$value,,code,0,1,,,,,\n",
    "codesystems/HL7 Concept Map_ AdministrativeSex - Sheet1.csv": CODES,
}


@pytest.fixture(scope="session")
def tables_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder laid out as the guide's, with a handful of rows."""
    folder = tmp_path_factory.mktemp("tables")
    for name, text in TABLES.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8")
    return folder


@pytest.fixture(scope="session")
def small_guide(tables_folder: Path):
    """The guide of a few rows, without patches."""
    from tools.guide import tables

    nothing = tables_folder / "overrides.yaml"
    nothing.write_text("spelling: []\nrows: []\n", encoding="utf-8")
    return tables.load(tables_folder, nothing)
