"""Has pyxnat write into the archive; prints each step that was done and ends with an error where one was not."""

import pathlib
import sys
import tempfile

import pyxnat

server, user, password, folder = sys.argv[1:]
first = next((pathlib.Path(folder) / "files").glob("1-*"))


def upload(central):
    experiment = central.select.project("P1").subject("S71").experiment("S71_MR1")
    file = experiment.resource("NOTES").file("first.dcm")
    file.put(str(first), format="DICOM", content="RAW", tags="x")
    assert file.exists() and (file.format(), file.content()) == ("DICOM", "RAW")
    with tempfile.TemporaryDirectory() as place:
        path = file.get(str(pathlib.Path(place) / "one.dcm"))
        assert pathlib.Path(path).read_bytes() == first.read_bytes()
    experiment.resource("NOTES").file("a.txt").put("some text", overwrite=True)
    assert sorted(found.id() for found in experiment.resource("NOTES").files()) == ["a.txt", "first.dcm"]
    experiment.resource("NOTES").file("a.txt").delete()
    assert [found.id() for found in experiment.resource("NOTES").files()] == ["first.dcm"]
    print("uploaded")


def change(central):
    subject = central.select.project("P1").subject("S71")
    subject.attrs.set("xnat:subjectData/demographics[@xsi:type=xnat:demographicData]/gender", "female")
    assert subject.attrs.get("gender") == "female"
    made = central.select.project("P1").subject("S72")
    made.create()
    assert made.exists() and made.label() == "S72"
    made.experiment("S72_MR1").create(experiments="xnat:mrSessionData")
    assert made.experiment("S72_MR1").datatype() == "xnat:mrSessionData"
    print("changed")


def assess(central):
    experiment = central.select.project("P1").subject("S71").experiment("S71_MR1")
    assessor = experiment.assessor("QC1")
    assessor.create(assessors="xnat:qcManualAssessorData")
    assert assessor.exists() and assessor.datatype() == "xnat:qcManualAssessorData"
    assert [found.label() for found in experiment.assessors()] == ["QC1"]
    assessor.attrs.set("xnat:qcManualAssessorData/rater", "ann")
    assert assessor.attrs.get("xnat:qcManualAssessorData/rater") == "ann"
    assessor.out_resource("OUT").file("a.txt").put("some text", overwrite=True)
    assert [found.id() for found in assessor.out_resource("OUT").files()] == ["a.txt"]
    assessor.delete()
    assert not assessor.exists()
    print("assessed")


def share(central):
    experiment = central.select.project("P1").subject("S71").experiment("S71_MR1")
    experiment.share("P2", label="CASE7")
    assert sorted(experiment.shares().get()) == ["P1", "P2"]
    assert central.select.project("P2").subject("S71").experiment("CASE7").exists()
    experiment.unshare("P2")
    assert experiment.shares().get() == ["P1"]
    print("shared")


def delete(central):
    experiment = central.select.project("P1").subject("S71").experiment("S71_MR1")
    experiment.resource("NOTES").delete()
    assert not experiment.resource("NOTES").exists()
    experiment.delete()
    assert not experiment.exists()
    print("deleted")


central = pyxnat.Interface(server=server, user=user, password=password, verify=False)
upload(central)
change(central)
assess(central)
share(central)
delete(central)
central.disconnect()
