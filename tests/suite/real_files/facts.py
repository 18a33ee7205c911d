"""Prints what pydicom reads of each file named in the input, as JSON: what XNAT's session document must say of it.

The first argument is the wheel of pydicom. Facts are named by their paths in the document; null means that the element
must not be there.
"""

import json
import re
import sys
import tempfile
import zipfile

with tempfile.TemporaryDirectory() as folder:
    with zipfile.ZipFile(sys.argv[1]) as wheel:
        wheel.extractall(folder)
    sys.path.insert(0, folder)
    import warnings

    warnings.simplefilter("ignore")
    import pydicom
    from pydicom import config

    config.settings.reading_validation_mode = config.IGNORE


    announced = set()


    def text(data, keyword):
        raw = getattr(data.get_item(keyword), "value", None) if keyword in data else None
        value = data.get(keyword)
        if value is None:
            return ""
        if isinstance(value, pydicom.multival.MultiValue):
            return "\\".join(str(part) for part in value)
        shown = str(value).strip(" \0")
        # Of a name pydicom leaves out that an empty last group is announced.
        if isinstance(value, pydicom.valuerep.PersonName) and isinstance(raw, bytes) and raw.rstrip().endswith(b"="):
            announced.add(keyword)
        return shown + "=" if keyword in announced and shown else shown


    def clean(label):
        return re.sub("[^A-Za-z0-9_-]", "_", label)


    def commented(data, key):
        for keyword in ("PatientComments", "StudyComments", "AdditionalPatientHistory"):
            pattern = r"(?:^|[\s,;])" + key + r"\s*:\s*([\w-]+)(?=$|[\s,;])"
            found = re.search(pattern, text(data, keyword), re.IGNORECASE | re.ASCII)
            if found:
                return found.group(1)
        return None


    def date(value):
        digits = value.replace(".", "")
        return f"{digits[:4]}-{digits[4:6]}-{digits[6:]}" if re.fullmatch("[0-9]{8}", digits) else None


    def time(value):
        digits = value.split(".")[0].replace(":", "")
        if not re.fullmatch("(?:[0-9]{2}){1,3}", digits):
            return None
        digits = digits.ljust(6, "0")
        return f"{digits[:2]}:{digits[2:4]}:{digits[4:]}"


    def measures(data):
        """Pixel Spacing and Slice Thickness: of the data set, else of the functional groups of multi-frame objects."""
        places = [data]
        for keyword in ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"):
            groups = data.get(keyword)
            if groups and groups[0].get("PixelMeasuresSequence"):
                places.append(groups[0].PixelMeasuresSequence[0])
        spacing = next((place.PixelSpacing for place in places if place.get("PixelSpacing")), None)
        thickness = next((place.SliceThickness for place in places if place.get("SliceThickness") is not None), None)
        return spacing, thickness


    def facts(data):
        announced.clear()
        subject = commented(data, "Subject") or clean(text(data, "PatientName"))
        label = commented(data, "Session") or clean(text(data, "PatientID"))
        number = text(data, "SeriesNumber")
        spacing, thickness = measures(data)
        said = {
            "@UID": text(data, "StudyInstanceUID"),
            "@session_type": text(data, "StudyDescription") or None,
            "@study_id": text(data, "StudyID") or None,
            "date": date(text(data, "StudyDate")),
            "time": time(text(data, "StudyTime")),
            "scanner": text(data, "StationName") or None,
            "scanner/@manufacturer": text(data, "Manufacturer") or None,
            "scanner/@model": text(data, "ManufacturerModelName") or None,
            "dcmPatientId": text(data, "PatientID") or None,
            "dcmPatientName": text(data, "PatientName") or None,
            "dcmAccessionNumber": text(data, "AccessionNumber") or None,
            "scans/scan/@UID": text(data, "SeriesInstanceUID"),
            "scans/scan/series_description": text(data, "SeriesDescription") or None,
            "scans/scan/frames": str(int(data.get("NumberOfFrames") or 1)),
        }
        if text(data, "Modality"):
            said["scans/scan/modality"] = text(data, "Modality")
        if number:
            said["scans/scan/@ID"] = number
        if label:
            said["@label"] = label
        if subject:
            said["subject_ID"] = subject
        if text(data, "Modality") in ("MR", "CT"):
            if spacing and len(spacing) == 2:
                said["scans/scan/parameters/voxelRes/@y"] = str(float(spacing[0]))
                said["scans/scan/parameters/voxelRes/@x"] = str(float(spacing[1]))
            if thickness is not None and str(thickness):
                said["scans/scan/parameters/voxelRes/@z"] = str(float(thickness))
        return said


    result = {}
    for path in sys.stdin.read().splitlines():
        try:
            result[path] = facts(pydicom.dcmread(path, force=True, stop_before_pixels=True))
        except Exception as error:
            result[path] = {"error": repr(error)}
    json.dump(result, sys.stdout)
