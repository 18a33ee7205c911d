"""Drives xnatctl against a running service; prints each step that was done and ends with an error where one was not."""

import json
import os
import pathlib
import subprocess
import sys
import tempfile

server, user, password, folder = sys.argv[1:]
folder = pathlib.Path(folder)
sent = sorted(file.read_bytes() for file in (folder / "files").iterdir())
home = tempfile.TemporaryDirectory()
told = {
    "XNAT_URL": server,
    "XNAT_USER": user,
    "XNAT_PASS": password,
    "HOME": home.name,
    "XDG_CONFIG_HOME": home.name,
    "XNAT_NO_UPDATE_CHECK": "1",
}


def xnatctl(*arguments):
    """What a command prints as JSON."""
    command = [sys.executable, "-m", "xnatctl", *arguments, "-o", "json"]
    done = subprocess.run(command, env={**os.environ, **told}, cwd=home.name, capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(f"{' '.join(arguments)}: {done.returncode}\n{done.stdout}\n{done.stderr}")
    return json.loads(done.stdout) if done.stdout.strip() else None


def look_around():
    assert xnatctl("whoami")["username"] == user
    assert sorted(project["id"] for project in xnatctl("project", "list")) == ["P1", "P2"]
    assert xnatctl("prearchive", "list") == []
    print("connected")


def upload():
    target = ["-P", "P1", "-S", "S71", "-E", "S71_MR1", "--prearchive", "-w", "2"]
    for mode in ("zip", "tar"):
        done = xnatctl("session", "upload", str(folder / "files"), *target, "--mode", mode)
        assert (done["status"], done["files"]) == ("success", len(sent)), done
    print("uploaded")


def staged(project):
    """The one session of a project's prearchive, as commands name it."""
    row, = xnatctl("prearchive", "list", "--project", project)
    assert (row["status"], row["name"], row["subject"]) == ("READY", "S71_MR1", "S71"), row
    return [project, row["timestamp"], row["folderName"]]


def review():
    xnatctl("prearchive", "rebuild", *staged("P1"))
    xnatctl("prearchive", "move", *staged("P1"), "P2")
    assert xnatctl("prearchive", "list", "--project", "P1") == []
    xnatctl("prearchive", "settings", "-P", "P1", "--set", "manual", "--yes")
    settings = xnatctl("prearchive", "settings", "-P", "P1")
    assert "manual" in json.dumps(settings), settings
    print("reviewed")


def archive():
    done = xnatctl("prearchive", "archive", *staged("P2"))
    assert done["success"] and "/experiments/S71_MR1" in done["result"], done
    session, = xnatctl("session", "list", "-P", "P2")
    assert (session["label"], session["subject"], session["modality"]) == ("S71_MR1", "S71", "MR"), session
    subject, = xnatctl("subject", "list", "-P", "P2")
    assert (subject["label"], subject["sessions"]) == ("S71", 1), subject
    print("archived")
    return session["id"]


def read(session):
    shown = xnatctl("session", "show", "-E", "S71_MR1", "-P", "P2")
    assert (shown["id"], shown["xsi_type"], shown["date"]) == (session, "xnat:mrSessionData", "2024-05-01"), shown
    scans = {scan["id"]: scan["type"] for scan in xnatctl("scan", "list", "-E", session)}
    assert scans == {"1": "localizer", "2": "t1", "9": "picture"}, scans
    resource, = xnatctl("resource", "list", session, "--scan", "2")
    assert resource["label"] == "DICOM", resource
    for workers in ("1", "2"):
        with tempfile.TemporaryDirectory() as place:
            where = ["--out", place, "-w", workers, "--extract"]
            done = xnatctl("session", "download", "-E", session, *where)
            assert done["status"] == "success", done
            found = [path for path in pathlib.Path(place).rglob("*") if path.is_file()]
            assert sorted(path.read_bytes() for path in found) == sent, found
    print("read")


look_around()
upload()
review()
read(archive())
print("ended")
