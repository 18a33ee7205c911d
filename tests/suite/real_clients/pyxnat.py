"""Drives pyxnat against a running service; prints each step that was done and ends with an error where one was not."""

import pathlib
import sys
import tempfile

import pyxnat

server, user, password, folder = sys.argv[1:]
sent = sorted(file.read_bytes() for file in (pathlib.Path(folder) / "files").iterdir())


def connect():
    central = pyxnat.Interface(server=server, user=user, password=password, verify=False)
    assert sorted(central.select.projects().get()) == ["P1", "P2"]
    assert central.version()["version"].startswith("1.")
    assert central.select.project("P1").exists() and not central.select.project("NONE").exists()
    assert "xnat:subjectData" in central.inspect.datatypes()
    print("connected")
    return central


def set_up(central):
    project = central.select.project("P1")
    assert project.prearchive_code() == 0 or project.prearchive_code() == 4, project.prearchive_code()
    project.set_prearchive_code("0")
    assert project.prearchive_code() == 0
    project.set_accessibility("protected")
    assert project.accessibility() == b"protected"
    assert project.owners() == [user] and project.users() == [user], project.users()
    print("set up")


def review(central):
    prearchive = central.manage.prearchive
    triple, = prearchive.get()
    assert triple[0] == "P2" and triple[2] == "S71_MR1", triple
    assert prearchive.status(triple) == "READY"
    assert sorted(prearchive.get_scans(triple)) == ["1", "2", "9"]
    assert prearchive.get_resources(triple, "2") == "DICOM"
    assert len(prearchive.get_files(triple, "2", "DICOM")) == 5
    prearchive.reset(triple)
    uri = prearchive.get_uri(triple)
    assert uri.startswith("/prearchive/projects/P2/"), uri
    prearchive.delete(uri)
    assert prearchive.get() == []
    print("reviewed")


def list_items(central):
    project = central.select.project("P1")
    subject, = project.subjects()
    assert (subject.label(), subject.id()) == ("S71", "XNAT_S00001")
    experiment, = subject.experiments()
    assert (experiment.label(), experiment.datatype()) == ("S71_MR1", "xnat:mrSessionData")
    assert project.subject("S71").experiment("S71_MR1").exists()
    assert not project.subject("S71").experiment("NONE").exists()
    assert sorted(scan.id() for scan in experiment.scans()) == ["1", "2", "9"]
    assert experiment.scan("2").datatype() == "xnat:mrScanData"
    assert central.select("/projects/P1/subjects/S71/experiments/S71_MR1/scans/*/resources/*").get() != []
    rows = central.array.mrsessions(project_id="P1", columns=["label", "xnat:mrSessionData/fieldStrength"])
    row, = rows.data
    assert row["label"] == "S71_MR1" and "3.0" in row.values(), row
    print("listed")


def read_items(central):
    experiment = central.select.project("P1").subject("S71").experiment("S71_MR1")
    assert experiment.attrs.get("date") == "2024-05-01"
    assert experiment.attrs.get("xnat:mrSessionData/fieldStrength") == "3.0"
    assert experiment.attrs.mget(["modality", "label"]) == ["MR", "S71_MR1"]
    assert experiment.xpath("/xnat:MRSession/@label") == ["S71_MR1"]
    scan = experiment.scan("2")
    assert scan.attrs.get("series_description") == "t1" and scan.attrs.get("quality") == "usable"
    assert scan.attrs.get("xnat:mrScanData/parameters/orientation") == "Tra"
    resource = scan.resource("DICOM")
    assert resource.exists() and resource.label() == "DICOM"
    names = [file.id() for file in resource.files()]
    assert len(names) == 5, names
    file = resource.file(names[0])
    assert file.exists() and int(file.size()) > 0 and file.format() == "DICOM" and file.content() == "RAW"
    print("read")


def download(central):
    experiment = central.select.project("P1").subject("S71").experiment("S71_MR1")
    with tempfile.TemporaryDirectory() as place:
        resource = experiment.scan("2").resource("DICOM")
        file = next(iter(resource.files()))
        path = file.get(str(pathlib.Path(place) / "one.dcm"))
        assert pathlib.Path(path).read_bytes() in sent
        paths = resource.get(place, extract=True)
        assert len(paths) == 5 and all(pathlib.Path(path).read_bytes() in sent for path in paths)
    with tempfile.TemporaryDirectory() as place:
        experiment.scans().download(place, type="ALL", extract=True)
        found = [path for path in pathlib.Path(place).rglob("*") if path.is_file() and path.suffix != ".zip"]
        assert sorted(path.read_bytes() for path in found) == sent
    print("downloaded")


central = connect()
set_up(central)
review(central)
list_items(central)
read_items(central)
download(central)
central.disconnect()
print("ended")
