"""Checks documents against the schemas that are served with them; prints the root element of each."""

import sys

import requests
from lxml import etree

server, user, password, _ = sys.argv[1:]
session = requests.Session()
session.auth = (user, password)


def get(path):
    answer = session.get(server + path)
    answer.raise_for_status()
    return answer


names = get("/xapi/schemas").json()
schemas = {}
for name in names:
    document = etree.fromstring(get(f"/xapi/schemas/{name}").content)
    schemas[document.get("targetNamespace")] = etree.XMLSchema(document)

staged = get("/data/prearchive/projects/P2").json()["ResultSet"]["Result"][0]["url"]
for path in [
    "/data/projects/P1?format=xml",
    "/data/projects/P1/subjects/S71?format=xml",
    "/data/projects/P1/experiments/S71_MR1?format=xml",
    "/data/projects/P1/experiments/S71_MR1/scans/2?format=xml",
    "/data/projects/P1/experiments/S71_MR1/scans/9?format=xml",
    "/data/projects/P1/experiments/S71_MR1/assessors/QC1?format=xml",
    "/data/projects/P1/experiments/S71_MR1/scans/2/resources/DICOM",
    "/data/projects/P1/experiments/S71_MR1/scans/9/resources/secondary",
    f"/data{staged}?format=xml",
]:
    root = etree.fromstring(get(path).content)
    name = etree.QName(root)
    schemas[name.namespace].assertValid(root)
    print(f"{root.prefix}:{name.localname}")
