"""Drives xnatpy against a running service; prints each step that was done and ends with an error where one was not."""

import datetime
import io
import logging
import pathlib
import sys
import tempfile
import zipfile

import xnat

server, user, password, folder = sys.argv[1:]
folder = pathlib.Path(folder)
sent = sorted(file.read_bytes() for file in (folder / "files").iterdir())


class Warnings(logging.Handler):
    """What the client has to complain of."""

    def __init__(self):
        super().__init__(logging.WARNING)
        self.lines = []

    def emit(self, record):
        self.lines.append(record.getMessage())


def members(data):
    """The files of a zip, in the order of their bytes."""
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        return sorted(archive.read(name) for name in archive.namelist())


def saved(download):
    """What a download writes into a file."""
    with tempfile.TemporaryDirectory() as place:
        path = pathlib.Path(place) / "saved"
        download(str(path))
        return path.read_bytes()


def refuse_wrong_password(logger):
    try:
        xnat.connect(server, user=user, password="wrong", logger=logger)
    except xnat.exceptions.XNATLoginFailedError:
        return
    raise AssertionError("a wrong password was taken")


def look_around(session):
    assert session.xnat_version.startswith("1."), session.xnat_version
    assert session.logged_in_user == user
    assert sorted(project.id for project in session.projects.values()) == ["P1", "P2"]
    assert session.projects["P1"].access_level in ("Owners", "Administrator"), session.projects["P1"].access_level
    types = session.inspect.datatypes()
    assert "xnat:subjectData" in types, types
    assert "xnat:subjectData/LABEL" in session.inspect.datafields("xnat:subjectData")
    print("connected")


def import_study(session):
    staged = session.services.import_(str(folder / "study.zip"), destination="/prearchive/projects/P1", overwrite="none")
    assert type(staged).__name__ == "PrearchiveSession", staged
    print("imported")


def review(session):
    staged, = session.prearchive.sessions(project="P1")
    assert staged.status == "READY" and staged.label == "S71_MR1" and staged.subject == "S71"
    assert isinstance(staged.uploaded, datetime.datetime) and isinstance(staged.lastmod, datetime.datetime)
    assert sorted(scan.id for scan in staged.scans) == ["1", "2", "9"]
    scan = next(scan for scan in staged.scans if scan.id == "2")
    assert scan.series_description == "t1"
    resource = scan.resources["DICOM"]
    assert resource.file_count == 5
    for file in resource.files.values():
        with file.open() as stream:
            data = stream.read()
        assert len(data) == file.size and data in sent
    assert scan.read_dicom().SeriesNumber == 2
    assert members(saved(staged.download)) == sent
    staged.rebuild(asynchronous=False)
    staged.move("P2", asynchronous=False)
    assert session.prearchive.sessions(project="P1") == []
    print("reviewed")


def archive(session):
    staged, = session.prearchive.find(project="P2", session="S71_MR1")
    experiment = staged.archive(quarantine=False, trigger_pipelines=False)
    assert experiment.label == "S71_MR1" and experiment.project == "P2"
    print("archived")


def list_items(session):
    project = session.projects["P2"]
    subject, = project.subjects.values()
    assert (subject.label, subject.project) == ("S71", "P2")
    assert project.subjects["S71"] is subject
    for experiments in (project.experiments, subject.experiments, session.experiments):
        assert [found.label for found in experiments.values()] == ["S71_MR1"]
    experiment = project.experiments["S71_MR1"]
    assert type(experiment).__name__ == "MrSessionData"
    assert experiment.subject_id == subject.id and experiment.subject.label == "S71"
    assert list(project.experiments.filter(label="S71*").keys()) == [experiment.id]
    assert len(project.experiments.filter(label="X*")) == 0
    rows = project.experiments.tabulate(columns=("ID", "label", "subject_label", "modality", "fieldStrength", "date"))
    row, = rows
    assert (row.subject_label, row.modality, row.fieldStrength) == ("S71", "MR", "3.0"), row
    types = {scan.id: type(scan).__name__ for scan in experiment.scans.values()}
    assert types == {"1": "MrScanData", "2": "MrScanData", "9": "ScScanData"}, types
    assert experiment.scans["t1"].id == "2"
    print("listed")


def read_items(session):
    experiment = session.projects["P2"].experiments["S71_MR1"]
    assert experiment.status == "active"
    assert experiment.date == datetime.date(2024, 5, 1) and experiment.modality == "MR"
    assert experiment.field_strength == "3.0"
    assert isinstance(experiment.insert_date, datetime.datetime)
    scan = experiment.scans["2"]
    assert (scan.quality, scan.frames, scan.series_description) == ("usable", 5, "t1")
    assert scan.uid and scan.image_session_id == experiment.id
    assert (scan.parameters.orientation, scan.parameters.voxel_res.x) == ("Tra", 0.7)
    resource = scan.resources["DICOM"]
    assert (resource.file_count, resource.label, resource.format) == (5, "DICOM", "DICOM")
    assert resource.file_size == sum(int(file.file_size) for file in resource.files.values())
    numbers = {found.id for one in experiment.scans.values() for found in one.resources.values()}
    assert len(numbers) == 3, "each resource has a number of its own"
    for file in resource.files.values():
        with file.open() as stream:
            assert stream.read() in sent
        assert file.verify_digest()
        assert int(file.size) == int(file.file_size)
    assert scan.read_dicom().SeriesNumber == 2
    print("read")


def download(session):
    experiment = session.projects["P2"].experiments["S71_MR1"]
    assert members(saved(lambda path: experiment.download(path, verbose=False))) == sent
    scan = experiment.scans["2"]
    of_scan = sorted(file.read_bytes() for file in (folder / "files").glob("2-*"))
    assert members(saved(lambda path: scan.download(path, verbose=False))) == of_scan
    resource = scan.resources["DICOM"]
    assert members(saved(lambda path: resource.download(path, verbose=False))) == of_scan
    file = next(iter(resource.files.values()))
    assert saved(lambda path: file.download(path, verbose=False)) in of_scan
    with tempfile.TemporaryDirectory() as place:
        experiment.download_dir(place, verbose=False)
        found = [path for path in pathlib.Path(place).rglob("*") if path.is_file()]
        assert sorted(path.read_bytes() for path in found) == sent
    print("downloaded")


def delete(session):
    staged = session.services.import_(str(folder / "study.zip"), destination="/prearchive/projects/P1", overwrite="none")
    staged.delete(asynchronous=False)
    assert session.prearchive.sessions() == []
    session.projects["P1"].delete()
    session.clearcache()
    assert [project.id for project in session.projects.values()] == ["P2"]
    print("deleted")


def come_with_a_token(session, logger):
    """Alias and secret take the place of user and password."""
    token = session.get_json("/data/services/tokens/issue")
    with xnat.connect(server, user=token["alias"], password=token["secret"], logger=logger) as other:
        assert [project.id for project in other.projects.values()] == ["P2"]
    print("came with a token")


warnings = Warnings()
logger = logging.getLogger("xnatpy")
logger.setLevel(logging.INFO)
logger.propagate = False
refuse_wrong_password(logger)
logger.addHandler(warnings)
with xnat.connect(server, user=user, password=password, logger=logger) as session:
    look_around(session)
    import_study(session)
    review(session)
    archive(session)
    list_items(session)
    read_items(session)
    download(session)
    delete(session)
    come_with_a_token(session, logger)
assert warnings.lines == [], warnings.lines
print("ended")
