//! The users, projects and sessions that the requests are about.

use std::collections::BTreeMap;

use narthex_tests::{Api, Client, Modality, Response, Service, Study, zip_study};
use serde_json::Value;

use super::rows::{Row, Spoils};
use super::rules::{Place, Role, Rule};
use crate::access::{USER_PASSWORD, json, user};

/// The timestamp of all sessions.
const TIMESTAMP: &str = "20240101_000000000";
/// The folder of the session that stays at each place.
const STAYS: &str = "STAYS";
/// A project that all users may change, and to which sessions are moved.
const DESTINY: &str = "DESTINY_1";
/// Who is administered. Its name is as long as that of who does not exist, as are the names of a private project and of
/// one that does not exist: answers of different lengths would differ in their headers.
const TARGET: &str = "target";
const NO_USER: &str = "nobody";
const NO_TOKEN: (&str, &str) = ("00000000-0000-4000-8000-000000000000", "none");

const PROJECTS: [(Place, &str, &str); 4] = [
    (Place::Own, "OWNPROJ_1", "private"),
    (Place::Private, "PRIVATE_1", "private"),
    (Place::Protected, "PROTECT_1", "protected"),
    (Place::Public, "VISIBLE_1", "public"),
];

/// What names in patterns, queries and bodies stand for.
pub type Names = BTreeMap<&'static str, String>;

/// The service with all of them.
pub struct World {
    service: Service,
    sessions: BTreeMap<Role, String>,
    archived: BTreeMap<&'static str, [String; 2]>,
    token: (String, String),
    made: u64,
}

/// A study of one small image.
pub fn study(seed: u64, label: &str) -> Study {
    Study::new(Modality::Mr, seed).patient(label, "SUBJECT").matrix(8).slices(1)
}

fn login(role: Role) -> Option<&'static str> {
    match role {
        Role::Nobody | Role::Guest | Role::WrongPassword => None,
        Role::Stranger => Some("sara"),
        Role::Collaborator => Some("carl"),
        Role::Member => Some("mary"),
        Role::Owner => Some("olga"),
        Role::AllReader => Some("rhea"),
        Role::AllAdmin => Some("adam"),
        Role::SiteAdmin => Some(narthex_tests::USER),
    }
}

fn project(place: Place) -> &'static str {
    match place {
        Place::Unassigned => "Unassigned",
        place => PROJECTS.iter().find(|(known, ..)| *known == place).map_or("NOWHERE_1", |(_, project, _)| *project),
    }
}

impl World {
    /// Makes them, on a service that lets guests in.
    pub fn make() -> Self {
        let service = Service::with(&[("require_login", "false")]);
        let api = service.api();
        for name in Role::WITH_LOGIN_REQUIRED.into_iter().filter_map(login).chain([TARGET, "eve"]) {
            if name != narthex_tests::USER {
                user(&api.client, name);
            }
        }
        for (name, group) in [("rhea", "ALL_DATA_ACCESS"), ("adam", "ALL_DATA_ADMIN")] {
            ok(&api.put(&format!("/xapi/users/{name}/groups/{group}")));
        }
        api.project(DESTINY);
        ok(&api.put(&format!("/data/projects/{DESTINY}/users/member/sara,carl,mary,olga,rhea,adam,{TARGET}")));
        let token = token(&json(&api.get(&format!("/data/services/tokens/issue/user/{TARGET}"))));
        let mut world = Self { service, sessions: BTreeMap::new(), archived: BTreeMap::new(), token, made: 100 };
        for (place, project, _) in PROJECTS {
            world.make_project(place, project);
            world.make_session(project, STAYS);
            world.archive_session(project);
        }
        world.make_session("Unassigned", STAYS);
        world.make_session(DESTINY, STAYS);
        world.archived.insert(project(Place::Nowhere), ["XNAT_S99999".to_owned(), "XNAT_E99999".to_owned()]);
        let target = world.service.client().login(TARGET, USER_PASSWORD);
        world.start_work(&target, TARGET);
        for role in Role::WITH_LOGIN_REQUIRED {
            world.log_in(role);
        }
        world
    }

    fn api(&self) -> Api {
        self.service.api()
    }

    /// Starts the service again so that it lets no guests in.
    pub fn require_login(&mut self) {
        self.service.restart();
    }

    fn next(&mut self) -> u64 {
        self.made += 1;
        self.made
    }

    fn log_in(&mut self, role: Role) {
        let client = self.service.client();
        let client = match login(role) {
            None => return,
            Some(narthex_tests::USER) => client,
            Some(name) => client.login(name, USER_PASSWORD),
        };
        let session = client.get("/data/JSESSION").unwrap();
        assert_eq!(session.status, 200, "{}", session.text());
        self.sessions.insert(role, session.text());
    }

    /// A client for somebody.
    pub fn client(&self, role: Role) -> Client {
        let client = self.service.client();
        match (role, self.sessions.get(&role)) {
            // Of somebody unknown: failures of a user's would lock the account.
            (Role::WrongPassword, _) => client.login("unknown", "wrong"),
            (_, Some(session)) => client.session(session),
            (_, None) => client.anonymous(),
        }
    }

    fn make_project(&self, place: Place, project: &str) {
        let api = self.api();
        api.project(project);
        if let Some((.., level)) = PROJECTS.iter().find(|(known, ..)| *known == place) {
            ok(&api.put(&format!("/data/projects/{project}/accessibility/{level}")));
        }
        if place == Place::Own {
            for (role, login) in [("owner", "olga"), ("member", "mary"), ("collaborator", "carl")] {
                ok(&api.put(&format!("/data/projects/{project}/users/{role}/{login}")));
            }
        }
    }

    /// A session with a resource and a log.
    fn make_session(&mut self, project: &str, folder: &str) {
        let (seed, api) = (self.next(), self.api());
        let zip = zip_study(&study(seed, folder));
        api.import_zip(&format!("dest=/prearchive/projects/{project}/{TIMESTAMP}/{folder}"), &zip);
        let uri = format!("/data/prearchive/projects/{project}/{TIMESTAMP}/{folder}");
        let file = api.client.request("PUT", &format!("{uri}/resources/NOTES/files/a.txt"));
        ok(&file.header("Content-Type", "text/plain").send_bytes(b"hello").unwrap());
        ok(&api.client.post_form(&uri, &[("action", "set-status"), ("status", "READY")]).unwrap());
    }

    fn archive_session(&mut self, project: &'static str) {
        let (seed, api) = (self.next(), self.api());
        api.import_zip(&format!("dest=/archive/projects/{project}"), &zip_study(&study(seed, "ARCHIVED")));
        let file = api.client.request("PUT", &format!("/data/projects/{project}/resources/KEPT/files/a.txt"));
        ok(&file.header("Content-Type", "text/plain").send_bytes(b"hello").unwrap());
        self.quarantine(project, "KEPT");
        let id = |list: &str| api.table(&format!("/data/projects/{project}/{list}")).only().get("ID").to_owned();
        self.archived.insert(project, [id("subjects"), id("experiments")]);
    }

    /// A folder of the quarantine.
    fn quarantine(&self, project: &str, folder: &str) {
        let uri = format!("/data/services/triage/projects/{project}/resources/{folder}/files/a.txt");
        let api = self.api();
        let file = api.client.request("PUT", &format!("{uri}?target=/data/projects/{project}/resources/R"));
        ok(&file.header("Content-Type", "text/plain").send_bytes(b"hello").unwrap());
    }

    /// Has something done in the background that can be followed under a key.
    fn start_work(&mut self, client: &Client, key: &str) {
        let folder = format!("WORK{}", self.next());
        self.make_session(DESTINY, &folder);
        let src = format!("/prearchive/projects/{DESTINY}/{TIMESTAMP}/{folder}");
        let form = [("src", src.as_str()), ("http-session-listener", key)];
        ok(&client.post_form("/data/services/prearchive/rebuild", &form).unwrap());
    }

    /// What names stand for at a place. If the request will be let through, what it spoils is made for it alone.
    pub fn names(&mut self, row: &Row, role: Role, place: Place, is_allowed: bool) -> Names {
        let fresh = format!("FRESH{}", self.next());
        let mut names: Names = self.lasting(role, place);
        match row.spoils {
            Spoils::Session if is_allowed => {
                self.make_session(project(place), &fresh);
                names.insert("session", fresh.clone());
            }
            Spoils::Source => {
                if is_allowed {
                    self.make_session(DESTINY, &fresh);
                }
                names.insert("source", if is_allowed { fresh.clone() } else { STAYS.to_owned() });
            }
            Spoils::Work if is_allowed => {
                let client = self.client(role);
                self.start_work(&client, &fresh);
                names.insert("key", fresh.clone());
            }
            Spoils::Folder if is_allowed => {
                self.quarantine(project(place), &fresh);
                names.insert("folder", fresh.clone());
            }
            Spoils::Project if is_allowed => {
                self.make_project(place, &fresh);
                names.insert("project", fresh.clone());
            }
            Spoils::Subject if is_allowed => {
                let uri = format!("/data/projects/{}/subjects/{fresh}", names["project"]);
                names.insert("subject", made(&self.api().put(&uri)));
            }
            Spoils::Experiment if is_allowed => {
                let uri =
                    format!("/data/projects/{}/subjects/{}/experiments/{fresh}", names["project"], names["subject"]);
                let id = made(&self.api().put(&format!("{uri}?xsiType=xnat:mrSessionData")));
                ok(&self.api().put(&format!("/data/experiments/{id}/scans/1?xsiType=xnat:mrScanData")));
                let assessor = format!("/data/experiments/{id}/assessors/{fresh}_QC?xsiType=xnat:qcManualAssessorData");
                made(&self.api().put(&assessor));
                names.insert("experiment", id);
            }
            Spoils::Token if is_allowed => {
                let issued = match place {
                    Place::Oneself => self.client(role).get("/data/services/tokens/issue").unwrap(),
                    _ => self.api().get(&format!("/data/services/tokens/issue/user/{TARGET}")),
                };
                let (alias, secret) = token(&json(&issued));
                names.extend([("alias", alias), ("secret", secret)]);
            }
            _ => {}
        }
        if row.rule == Rule::PutProject && place == Place::Nowhere && is_allowed {
            names.insert("project", fresh.clone());
        }
        names.insert("place", names["project"].clone());
        names.insert("src", "/prearchive/projects/{project}/{timestamp}/{session}".to_owned());
        names.insert("fresh", fresh);
        names.extend(row.fills.iter().map(|(name, value)| (*name, (*value).to_owned())));
        names
    }

    fn lasting(&self, role: Role, place: Place) -> Names {
        let project = project(place);
        let level = PROJECTS.iter().find(|(known, ..)| *known == place).map_or("private", |(.., level)| *level);
        let none = ["XNAT_S00000".to_owned(), "XNAT_E00000".to_owned()];
        let [subject, experiment] = self.archived.get(project).cloned().unwrap_or(none);
        let user = match place {
            Place::Oneself => login(role).unwrap_or(TARGET),
            Place::NoUser => NO_USER,
            _ => TARGET,
        };
        let (alias, secret) = match place {
            Place::NoUser => NO_TOKEN,
            _ => (self.token.0.as_str(), self.token.1.as_str()),
        };
        let file = study(1, STAYS).files().next().map(|file| file.name).unwrap_or_default();
        BTreeMap::from([
            ("project", project.to_owned()),
            ("timestamp", TIMESTAMP.to_owned()),
            ("session", STAYS.to_owned()),
            ("scan", "1".to_owned()),
            ("resource", "DICOM".to_owned()),
            ("folder", "KEPT".to_owned()),
            ("file", file),
            ("subject", subject),
            ("experiment", experiment),
            ("level", level.to_owned()),
            ("user", user.to_owned()),
            // Work is followed under a key; who is administered has some under his own name.
            ("key", if place == Place::NoUser { NO_USER } else { TARGET }.to_owned()),
            ("alias", alias.to_owned()),
            ("secret", secret.to_owned()),
        ])
    }

    /// Undoes what a request that was let through may have done to whoever asked.
    pub fn clear(&mut self, spoils: Spoils, role: Role, was_allowed: bool) {
        if spoils == Spoils::Login && was_allowed {
            self.log_in(role);
        }
    }

    /// Fails if what nobody was to remove is gone.
    pub fn check_nothing_is_lost(&self) {
        let api = self.api();
        for (_, project, level) in PROJECTS {
            let accessibility = api.bytes(&format!("/data/projects/{project}/accessibility"));
            assert_eq!(String::from_utf8_lossy(&accessibility), level, "{project}");
            assert_eq!(
                api.table(&format!("/data/projects/{project}/experiments"))
                    .rows
                    .iter()
                    .filter(|row| row.get("label") == "ARCHIVED")
                    .count(),
                1,
                "{project}"
            );
        }
        for project in PROJECTS.map(|(_, project, _)| project).into_iter().chain(["Unassigned"]) {
            let uri = format!("/data/prearchive/projects/{project}/{TIMESTAMP}/{STAYS}");
            assert_eq!(api.table(&uri).only().get("status"), "READY", "{uri}");
            assert_eq!(api.content(&uri).len(), 1, "{uri}");
            assert_eq!(api.bytes(&format!("{uri}/resources/NOTES/files/a.txt")), b"hello", "{uri}");
        }
    }

    /// An answer without the names of the place and the time.
    pub fn anonymise(&self, place: Place, response: &Response) -> (u16, Vec<(String, String)>, String) {
        let names = self.lasting(Role::Stranger, place);
        let hide = |text: &str| {
            ["project", "subject", "experiment", "user", "alias"]
                .iter()
                .fold(text.to_owned(), |text, name| text.replace(&names[*name], &format!("{{{name}}}")))
        };
        let headers = response.headers.iter().filter(|(name, _)| name != "date").map(|(name, value)| {
            let is_time = name == "set-cookie" && value.starts_with("SESSION_EXPIRATION_TIME=");
            (name.clone(), if is_time { "{time}".to_owned() } else { hide(value) })
        });
        (response.status, headers.collect(), hide(&response.text()))
    }
}

#[track_caller]
fn ok(response: &Response) {
    assert_eq!(response.status, 200, "{}", response.text());
}

/// The identifier of what was made.
#[track_caller]
fn made(response: &Response) -> String {
    assert_eq!(response.status, 201, "{}", response.text());
    response.text()
}

fn token(issued: &Value) -> (String, String) {
    let member = |name: &str| issued[name].as_str().unwrap().to_owned();
    (member("alias"), member("secret"))
}
