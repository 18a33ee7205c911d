//! The table: for each operation what a right request is, and which rule it follows.

use super::rules::{Place, Rule};
use super::{rows_access, rows_prearchive};

/// A row. Texts with `{name}` are filled in from the place.
#[derive(Debug, Clone)]
pub struct Row {
    /// The component that serves the operation.
    pub component: &'static str,
    /// The operation's name.
    pub name: &'static str,
    /// Who may use it.
    pub rule: Rule,
    /// The query.
    pub query: &'static str,
    /// The body.
    pub body: Body,
    /// What stands for names, other than the place's own.
    pub fills: &'static [(&'static str, &'static str)],
    /// The answers to those who may.
    pub answers: &'static [u16],
    /// The answer to them at a place where nobody can do it.
    pub never: Option<(Place, u16)>,
    /// What is not the same after the request, so that each who may gets a fresh one.
    pub spoils: Spoils,
}

/// A body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Body {
    /// None.
    Empty,
    /// A form, encoded but for what is filled in.
    Form(&'static str),
    /// JSON.
    Json(&'static str),
    /// A document.
    Xml(&'static str),
    /// A file.
    File(&'static str),
    /// A zip of a study.
    Study,
}

/// What a request changes for the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spoils {
    /// Nothing that matters.
    Nothing,
    /// The session at the place.
    Session,
    /// The session that goes to the place.
    Source,
    /// The project.
    Project,
    /// The subject.
    Subject,
    /// The experiment.
    Experiment,
    /// The folder of the quarantine.
    Folder,
    /// The logins of whoever asks.
    Login,
    /// The alias token.
    Token,
    /// The work that goes on in the background.
    Work,
}

/// The beginning of a row.
pub fn row(component: &'static str, name: &'static str, rule: Rule) -> Row {
    Row {
        component,
        name,
        rule,
        query: "",
        body: Body::Empty,
        fills: &[],
        answers: &[200],
        never: None,
        spoils: Spoils::Nothing,
    }
}

impl Row {
    pub fn query(self, query: &'static str) -> Self {
        Self { query, ..self }
    }

    pub fn body(self, body: Body) -> Self {
        Self { body, ..self }
    }

    pub fn with(self, fills: &'static [(&'static str, &'static str)]) -> Self {
        Self { fills, ..self }
    }

    pub fn answers(self, answers: &'static [u16]) -> Self {
        Self { answers, ..self }
    }

    pub fn never(self, place: Place, status: u16) -> Self {
        Self { never: Some((place, status)), ..self }
    }

    pub fn spoils(self, spoils: Spoils) -> Self {
        Self { spoils, ..self }
    }
}

/// The whole table.
pub fn rows() -> Vec<Row> {
    let mut rows = rows_prearchive::rows();
    rows.extend(import());
    rows.extend(archive());
    rows.extend(triage());
    rows.extend(events());
    rows.extend(settings());
    rows.extend(rows_access::rows());
    rows
}

/// What an operation that this version does not serve answers to whoever may log in.
const UNSERVED: &[u16] = &[501];

fn import() -> Vec<Row> {
    const DEST: &str = "import-handler=SI&inbody=true&dest=/prearchive/projects/{project}";
    let row = |name, rule| row("import", name, rule);
    // Everybody has a cache of their own, which the rows fill, read and empty in this order.
    let cache = |name| row(name, Rule::User).with(&[("resource", "X"), ("file", "a/b.txt")]);
    let file = Body::File("hello");
    let upload = |name| row(name, Rule::User).with(&[("upload", "unknown")]);
    vec![
        row("Import", Rule::Import).query(DEST).body(Body::Study).with(&[("name", "x.zip")]),
        // Whoever does not speak the protocol of resumable uploads is told so.
        upload("ResumableOptions").answers(&[204]),
        upload("ResumableBegin").answers(&[412]),
        upload("ResumableList"),
        upload("ResumableShow").answers(&[404]),
        upload("ResumableAppend").answers(&[412]),
        upload("ResumableRemove").answers(&[412]),
        cache("MakeCacheResource"),
        cache("PutCacheFile").body(file),
        cache("AddCacheFiles").body(file).answers(&[200, 201]),
        cache("PostCacheFile").body(file).answers(&[400]),
        cache("CacheResources"),
        cache("CacheFiles"),
        cache("CacheFile"),
        cache("DeleteCacheFiles"),
        cache("DeleteCacheResource"),
    ]
}

fn archive() -> Vec<Row> {
    const OVERWRITE: &str = "overwrite=true&inbody=true";
    const GONE: &str = "accept-not-found=true";
    const NOTE: &[(&str, &str)] = &[("rest", "NOTES/files/a.txt")];
    const RESOURCE_NOTE: &[(&str, &str)] = &[("rest", "resources/NOTES/files/a.txt")];
    const SUBJECT: &str = r#"<xnat:Subject xmlns:xnat="http://nrg.wustl.edu/xnat" label="{fresh}"/>"#;
    const ASSESSOR: &[(&str, &str)] = &[("rest", "assessors/{project}_QC")];
    const QC: &str = "xsiType=xnat:qcManualAssessorData";
    let file = Body::File("hello");
    let row = |name, rule| row("archive", name, rule);
    let below = |name, rule| row(name, rule).query("format=json").with(&[("rest", "scans")]);
    let share = |name, rule| row(name, rule).with(&[("target", "{project}")]).answers(&[409]);
    vec![
        // What is archived needs a project.
        row("Archive", Rule::EditPrearchive)
            .body(Body::Form("src={src}"))
            .never(Place::Unassigned, 400)
            .spoils(Spoils::Session),
        row("Validate", Rule::EditPrearchive).body(Body::Form("src={src}")).never(Place::Unassigned, 400),
        row("ProjectSubjects", Rule::ReadProject),
        row("ProjectSubject", Rule::ReadProject).query("format=json").with(&[("rest", "resources")]),
        row("SubjectExperiments", Rule::ReadProject),
        below("SubjectExperiment", Rule::ReadProject),
        row("ProjectExperiments", Rule::ReadProject),
        below("ProjectExperiment", Rule::ReadProject),
        row("Subjects", Rule::Visitor),
        row("ProjectSubjectProjects", Rule::ReadProject),
        row("ProjectSubjectStatus", Rule::ReadProject),
        row("SubjectProjects", Rule::ReadItem),
        row("SubjectStatus", Rule::ReadItem),
        row("Subject", Rule::ReadItem).query("format=json").with(&[("rest", "resources")]),
        row("Experiments", Rule::Visitor),
        below("Experiment", Rule::ReadItem),
        row("ProjectExperiment", Rule::ReadProject).query("format=json").with(&[("rest", "assessors")]),
        // In this order: a resource is filled, read and emptied.
        row("PutProjectResource", Rule::EditProject).query(OVERWRITE).with(NOTE).body(file),
        row("PostProjectResource", Rule::EditProject).query(OVERWRITE).with(NOTE).body(file),
        row("ProjectResources", Rule::ReadProject).with(&[("rest", "KEPT/files")]),
        row("ProjectFiles", Rule::ReadProject),
        row("DeleteProjectResource", Rule::OwnProject).query(GONE).with(NOTE).answers(&[200, 204]),
        row("PutInSubject", Rule::EditProject).query(OVERWRITE).with(RESOURCE_NOTE).body(file),
        row("PostInSubject", Rule::EditProject).query(OVERWRITE).with(RESOURCE_NOTE).body(file),
        row("DeleteInSubject", Rule::OwnProject).query(GONE).with(RESOURCE_NOTE).answers(&[200, 204]),
        row("PutInSubjectOfId", Rule::EditItem).query(OVERWRITE).with(RESOURCE_NOTE).body(file),
        row("PostInSubjectOfId", Rule::EditItem).query(OVERWRITE).with(RESOURCE_NOTE).body(file),
        row("DeleteInSubjectOfId", Rule::OwnItem).query(GONE).with(RESOURCE_NOTE).answers(&[200, 204]),
        row("PutInExperiment", Rule::EditProject).query(OVERWRITE).with(RESOURCE_NOTE).body(file),
        row("PutInExperiment", Rule::EditProject).query("quality=usable").with(&[("rest", "scans/1")]),
        row("PostInExperiment", Rule::EditProject).query(OVERWRITE).with(RESOURCE_NOTE).body(file),
        row("DeleteInExperiment", Rule::OwnProject).query(GONE).with(RESOURCE_NOTE).answers(&[200, 204]),
        row("DeleteInExperiment", Rule::OwnProject).with(&[("rest", "scans/1")]).spoils(Spoils::Experiment),
        row("PutInExperimentOfId", Rule::EditItem).query(OVERWRITE).with(RESOURCE_NOTE).body(file),
        row("PostInExperimentOfId", Rule::EditItem).query(OVERWRITE).with(RESOURCE_NOTE).body(file),
        row("DeleteInExperimentOfId", Rule::OwnItem).query(GONE).with(RESOURCE_NOTE).answers(&[200, 204]),
        row("PutInExperiment", Rule::EditProject).query(QC).with(ASSESSOR).answers(&[200, 201]),
        row("PutInExperimentOfId", Rule::EditItem).query(QC).with(ASSESSOR).answers(&[200, 201]),
        row("PostInExperiment", Rule::EditProject)
            .query("xsiType=xnat:qcManualAssessorData&label={fresh}")
            .with(&[("rest", "assessors")]),
        row("DeleteInExperiment", Rule::OwnProject)
            .with(&[("rest", "assessors/{fresh}_QC")])
            .spoils(Spoils::Experiment),
        row("NewSubject", Rule::EditProject).body(Body::Xml(SUBJECT)),
        row("PutSubject", Rule::EditProject).query("group=a"),
        row("PutSubject", Rule::EditProject).with(&[("subject", "{fresh}")]).answers(&[201]),
        row("ChangeSubjectOfId", Rule::EditItem).query("group=a"),
        row("DeleteSubject", Rule::OwnProject).spoils(Spoils::Subject),
        row("DeleteSubjectOfId", Rule::OwnItem).spoils(Spoils::Subject),
        row("PutExperiment", Rule::EditProject).query("note=a"),
        row("PutExperiment", Rule::OwnProject).query("activate=true"),
        row("ChangeExperimentOfId", Rule::EditItem).query("note=a"),
        row("ChangeExperimentOfId", Rule::OwnItem).query("activate=true"),
        row("ChangeExperimentOfId", Rule::EditItem).query("pullDataFromHeaders=true&fixScanTypes=true"),
        // Whoever may do it is told that it is there already.
        share("ShareSubject", Rule::EditProject),
        share("ShareSubjectOfId", Rule::EditItem),
        share("ShareExperiment", Rule::EditProject),
        share("ShareExperimentOfId", Rule::EditItem),
        share("ShareExperiment", Rule::OwnProject).query("primary=true"),
        share("UnshareSubject", Rule::OwnProject),
        share("UnshareSubjectOfId", Rule::OwnItem),
        share("UnshareExperiment", Rule::OwnProject),
        share("UnshareExperimentOfId", Rule::OwnItem),
        row("DeleteExperiment", Rule::OwnProject).query("removeFiles=true").spoils(Spoils::Experiment),
        row("DeleteExperimentOfId", Rule::OwnItem).query("removeFiles=true").spoils(Spoils::Experiment),
        super::rows::row("catalog", "Refresh", Rule::Refresh)
            .body(Body::Form("resource=/archive/experiments/{experiment}&options=checksum,delete")),
    ]
}

fn triage() -> Vec<Row> {
    const FILE: &[(&str, &str)] = &[("file", "a.txt")];
    const FRESH: &[(&str, &str)] = &[("folder", "{fresh}"), ("file", "a.txt")];
    const TARGET: &str = "target=/data/projects/{project}/resources/R&OVERWRITE=true";
    const APPROVED: Body = Body::Form(
        "src=/data/services/triage/projects/{project}/resources/{folder}&dest=/data/projects/{project}/resources/R\
         &overwrite=true",
    );
    let row = |name, rule| row("triage", name, rule);
    let gone = |name| row(name, Rule::Review).with(FILE).spoils(Spoils::Folder);
    vec![
        row("List", Rule::ReadMembers),
        row("Folder", Rule::Review),
        row("Files", Rule::Review),
        row("File", Rule::Review).with(FILE),
        row("MakeFolder", Rule::EditProject).with(FRESH),
        row("AddFiles", Rule::EditProject).query(TARGET).with(FRESH).body(Body::File("hello")),
        row("AddFile", Rule::EditProject).query(TARGET).with(FRESH).body(Body::File("hello")),
        gone("DeleteFile"),
        gone("DeleteFolder"),
        row("Approve", Rule::OwnProject).body(APPROVED).answers(&[201]).spoils(Spoils::Folder),
    ]
}

fn events() -> Vec<Row> {
    const URL: Body = Body::Form("url=https%3A%2F%2Freceiver.example%2F");
    let row = |name, rule| row("events", name, rule);
    // What those who may are told of one that does not exist.
    let one = |name, rule| row(name, rule).with(&[("webhook", "unknown")]).answers(&[404]);
    vec![
        row("ProjectHistory", Rule::OwnProject),
        row("Webhooks", Rule::OwnProject),
        row("NewWebhook", Rule::OwnProject).body(URL).answers(&[201]),
        one("Webhook", Rule::OwnProject),
        one("SetWebhook", Rule::OwnProject).query("enabled=true"),
        one("RemoveWebhook", Rule::OwnProject),
        one("TryWebhook", Rule::OwnProject),
        one("Deliveries", Rule::OwnProject),
        row("SiteWebhooks", Rule::AdminOnly),
        row("NewSiteWebhook", Rule::AdminOnly).body(URL).answers(&[201]),
        one("SiteWebhook", Rule::AdminOnly),
        one("SetSiteWebhook", Rule::AdminOnly).query("enabled=true"),
        one("RemoveSiteWebhook", Rule::AdminOnly),
        one("TrySiteWebhook", Rule::AdminOnly),
        one("SiteDeliveries", Rule::AdminOnly),
        row("Deliver", Rule::Open).answers(&[202]),
    ]
}

fn settings() -> Vec<Row> {
    const EVE: &[(&str, &str)] = &[("role", "collaborator"), ("login", "eve")];
    const PET_MR: &[(&str, &str)] = &[("tool", "separatePETMR"), ("file", "config")];
    const SURPLUS: &[(&str, &str)] = &[("level", "a"), ("code", "a"), ("rest", "b")];
    let row = |name, rule| row("settings", name, rule);
    vec![
        row("Projects", Rule::Visitor),
        row("NewProject", Rule::User).body(Body::Form("ID={fresh}")),
        row("Project", Rule::ReadProject).query("format=json"),
        // What belongs to no project has a name that no project may have.
        row("PutProject", Rule::PutProject).query("description=Changed").never(Place::Unassigned, 417),
        row("DeleteProject", Rule::OwnProject).query("removeFiles=true").spoils(Spoils::Project),
        row("Accessibility", Rule::SeeProject),
        // The shorter address names no value, which is said to those only who may set it.
        row("SetAccessibility", Rule::OwnProject).answers(&[200, 400]),
        row("PrearchiveCode", Rule::ReadProject),
        row("SetPrearchiveCode", Rule::OwnProject).answers(&[200, 400]).with(&[("code", "0")]),
        row("QuarantineCode", Rule::ReadProject),
        row("SetQuarantineCode", Rule::OwnProject).answers(&[200, 400]).with(&[("code", "0")]),
        row("ResourceQuarantine", Rule::ReadProject),
        row("SetResourceQuarantine", Rule::OwnProject).answers(&[200, 400]).with(&[("code", "0")]),
        row("SurplusPath", Rule::ReadProject).answers(&[400]).with(SURPLUS),
        row("UnservedSetting", Rule::ReadProject).answers(UNSERVED).with(SURPLUS),
        row("Members", Rule::ReadMembers),
        row("AddMembers", Rule::OwnProject).with(EVE),
        row("RemoveMembers", Rule::OwnProject).with(EVE),
        row("ProjectConfig", Rule::ReadProject).with(PET_MR),
        row("SetProjectConfig", Rule::OwnProject).with(PET_MR).body(Body::File("separate")),
        row("DeleteProjectConfig", Rule::OwnProject).with(PET_MR),
        row("SiteConfig", Rule::User).with(PET_MR),
    ]
}
