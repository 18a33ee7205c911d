"""Has xnatpy write into the archive; prints each step that was done and ends with an error where one was not."""

import datetime
import pathlib
import sys

import xnat

server, user, password, folder = sys.argv[1:]
folder = pathlib.Path(folder)
sent = sorted(file.read_bytes() for file in (folder / "files").iterdir())


def upload(session):
    experiment = session.projects["P1"].experiments["S71_MR1"]
    notes = experiment.create_resource("NOTES")
    first = next((folder / "files").glob("1-*"))
    notes.upload(first, "a/first.dcm", verbose=False)
    notes.upload_data("some text", "readme.txt", file_content="doc", file_format="TXT", file_tags="x", verbose=False)
    assert sorted(file.path for file in notes.files.values()) == ["a/first.dcm", "readme.txt"]
    with notes.files["a/first.dcm"].open() as stream:
        assert stream.read() == first.read_bytes()
    text = notes.files["readme.txt"]
    assert (text.file_content, text.file_format, text.file_tags) == ("doc", "TXT", "x")
    assert text.verify_digest()
    notes.upload_data("another text", "readme.txt", overwrite=True, verbose=False)
    notes.files.clearcache()
    with notes.files["readme.txt"].open() as stream:
        assert stream.read() == b"another text"
    notes.files["readme.txt"].delete()
    notes.files.clearcache()
    assert [file.path for file in notes.files.values()] == ["a/first.dcm"]
    for owner in (experiment.scans["2"], session.subjects["S71"], session.projects["P1"]):
        resource = owner.create_resource("MORE")
        resource.upload_data(b"bytes", "x/y.bin", verbose=False)
        assert [file.path for file in resource.files.values()] == ["x/y.bin"], owner
    print("uploaded")


def share(session):
    experiment = session.projects["P1"].experiments["S71_MR1"]
    experiment.share("P2", label="CASE7")
    project = session.projects["P2"]
    project.clearcache()
    shared = project.experiments["CASE7"]
    assert (shared.id, shared.project) == (experiment.id, "P1")
    assert sorted(scan.id for scan in shared.scans.values()) == sorted(scan.id for scan in experiment.scans.values())
    assert project.subjects["S71"].id == session.projects["P1"].subjects["S71"].id
    session.delete(f"/data/experiments/{experiment.id}/projects/P2")
    project.clearcache()
    assert "CASE7" not in project.experiments
    print("shared")


def upload_folder(session):
    experiment = session.projects["P1"].experiments["S71_MR1"]
    whole = experiment.create_resource("WHOLE", data_dir=folder / "files")
    found = []
    for file in whole.files.values():
        with file.open() as stream:
            found.append(stream.read())
    assert sorted(found) == sent
    print("unpacked")


def refresh(session):
    experiment = session.projects["P1"].experiments["S71_MR1"]
    experiment.resources["NOTES"].refresh_catalog()
    session.services.refresh_catalog(experiment, checksum=True, delete=True, populate_stats=True)
    session.services.refresh_catalog(f"/archive/experiments/{experiment.id}/scans/2", checksum=True)
    print("refreshed")


def change(session):
    subject = session.projects["P1"].subjects["S71"]
    subject.demographics.gender = "female"
    subject.demographics.dob = datetime.date(1980, 2, 3)
    subject.clearcache()
    assert subject.demographics.gender == "female"
    assert subject.demographics.dob == datetime.date(1980, 2, 3)
    experiment = session.projects["P1"].experiments["S71_MR1"]
    experiment.note = "a note"
    experiment.clearcache()
    assert experiment.note == "a note"
    scan = experiment.scans["2"]
    scan.quality = "questionable"
    scan.clearcache()
    assert scan.quality == "questionable"
    made = session.classes.SubjectData(parent=session.projects["P1"], label="S72")
    assert made.label == "S72" and made.id
    session.classes.MrSessionData(parent=made, label="S72_MR1")
    session.projects["P1"].clearcache()
    assert sorted(found.label for found in session.projects["P1"].experiments.values()) == ["S71_MR1", "S72_MR1"]
    print("changed")


def delete(session):
    experiment = session.projects["P1"].experiments["S71_MR1"]
    experiment.resources["NOTES"].delete()
    experiment.clearcache()
    assert sorted(found.label for found in experiment.resources.values()) == ["WHOLE"]
    experiment.scans["9"].delete()
    experiment.clearcache()
    assert sorted(scan.id for scan in experiment.scans.values()) == ["1", "2"]
    experiment.delete()
    session.projects["P1"].clearcache()
    assert [found.label for found in session.projects["P1"].experiments.values()] == ["S72_MR1"]
    print("deleted")


with xnat.connect(server, user=user, password=password, loglevel="ERROR") as session:
    upload(session)
    share(session)
    upload_folder(session)
    refresh(session)
    change(session)
    delete(session)
