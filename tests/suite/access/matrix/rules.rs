//! What each rule means for somebody at a place.

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Role {
    /// Without credentials, where a login is required.
    Nobody,
    /// Without credentials, where guests are let in.
    Guest,
    /// With credentials that are wrong.
    WrongPassword,
    /// Logged in, without a role in any of the projects.
    Stranger,
    /// Collaborator of the project [`Place::Own`].
    Collaborator,
    /// Member of it.
    Member,
    /// Owner of it.
    Owner,
    /// Reads the data of all projects.
    AllReader,
    /// Reads and changes the data of all projects.
    AllAdmin,
    /// Administrator of the site.
    SiteAdmin,
}

impl Role {
    /// Everybody but guests.
    pub const WITH_LOGIN_REQUIRED: [Self; 9] = [
        Self::Nobody,
        Self::WrongPassword,
        Self::Stranger,
        Self::Collaborator,
        Self::Member,
        Self::Owner,
        Self::AllReader,
        Self::AllAdmin,
        Self::SiteAdmin,
    ];

    fn edits_all(self) -> bool {
        matches!(self, Self::AllAdmin | Self::SiteAdmin)
    }

    fn reads_all(self) -> bool {
        self == Self::AllReader || self.edits_all()
    }
}

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// Nothing in particular.
    Site,
    /// The project in which some have a role.
    Own,
    /// A private project in which none has.
    Private,
    /// A protected one.
    Protected,
    /// A public one.
    Public,
    /// What belongs to no project.
    Unassigned,
    /// A project that does not exist.
    Nowhere,
    /// The user who asks, or what belongs to that user.
    Oneself,
    /// Another user.
    Other,
    /// A user that does not exist.
    NoUser,
}

/// What must come of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// What the row says.
    Allowed,
    /// 401, with the way to log in.
    Unauthorized,
    /// 403.
    Forbidden,
    /// 404.
    NotFound,
    /// 400.
    BadRequest,
}

/// What somebody has in a project, the least first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Level {
    Nothing,
    See,
    Read,
    Edit,
    Own,
}

/// Who may use an operation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// Everybody whose credentials are not wrong.
    Open,
    /// Users, and guests where they are let in.
    Visitor,
    /// Users.
    User,
    /// Users; guests are told that it is not for them.
    TokenUser,
    /// Administrators of the site.
    AdminOnly,
    /// The same; guests are told that it is not for them.
    TokenAdmin,
    /// Those who change the data of all projects.
    AllDataAdmin,
    /// Everybody for themselves, administrators for everybody.
    SelfOrAdmin,
    /// Everybody for what is their own, administrators for all; for others it does not exist.
    OwnThing,
    /// Everybody for what is their own; for all others, administrators too, it does not exist.
    OwnWork,
    /// Those who may know that the project exists.
    SeeProject,
    /// Those who read the project's data.
    ReadProject,
    /// The same; what may not be read does not exist, even if its project may be known.
    ReadItem,
    /// Those who read the project's data and have logged in: names of users are not for guests.
    ReadMembers,
    /// Those who change the project's data.
    EditProject,
    /// The same; what may not be read does not exist, even if its project may be known.
    EditItem,
    /// The same as a value of a parameter: what may not be read is named wrongly (400).
    Refresh,
    /// Those who may change the project, and its members.
    OwnProject,
    /// The same; what may not be read does not exist, even if its project may be known.
    OwnItem,
    /// The same; for those who read the project's data and do not review what is in its quarantine, what others have put
    /// there does not exist.
    Review,
    /// The same, and everybody where there is no such project yet.
    PutProject,
    /// Those who read the project's data; what belongs to no project is for those who read all data.
    ReadPrearchive,
    /// Those who change the project's data; what belongs to no project is for those who change all data.
    EditPrearchive,
    /// Those who change the data of the project to which something goes; every user may send what belongs to no project.
    Import,
}

const PROJECTS: &[Place] =
    &[Place::Own, Place::Private, Place::Protected, Place::Public, Place::Unassigned, Place::Nowhere];

impl Rule {
    /// The places that make a difference.
    pub fn places(self) -> &'static [Place] {
        match self {
            Self::Open
            | Self::Visitor
            | Self::User
            | Self::TokenUser
            | Self::AdminOnly
            | Self::TokenAdmin
            | Self::AllDataAdmin => &[Place::Site],
            Self::SelfOrAdmin | Self::OwnThing | Self::OwnWork => &[Place::Oneself, Place::Other, Place::NoUser],
            // Nothing can be archived without a project.
            Self::ReadItem | Self::EditItem | Self::OwnItem | Self::Refresh => {
                &[Place::Own, Place::Private, Place::Protected, Place::Public, Place::Nowhere]
            }
            _ => PROJECTS,
        }
    }

    /// A place that is hidden from those who have nothing there, and one that is not there: refusals must not tell the
    /// two apart. A project's existence cannot be hidden from those who may make one: its name is taken.
    pub fn hidden_and_missing(self) -> Option<[Place; 2]> {
        let has = |place| self.places().contains(&place);
        match self {
            Self::PutProject => None,
            _ if has(Place::Private) => Some([Place::Private, Place::Nowhere]),
            _ if has(Place::Other) => Some([Place::Other, Place::NoUser]),
            _ => None,
        }
    }

    /// What must come of a request.
    pub fn expected(self, role: Role, place: Place) -> Class {
        match role {
            Role::WrongPassword => return Class::Unauthorized,
            Role::Nobody if self == Self::Open => return Class::Allowed,
            Role::Nobody => return Class::Unauthorized,
            _ => {}
        }
        match self {
            Self::Open | Self::Visitor => Class::Allowed,
            Self::User => users(role, true),
            Self::TokenUser => if_else(role != Role::Guest, Class::Forbidden),
            Self::AdminOnly => users(role, role == Role::SiteAdmin),
            Self::TokenAdmin => if_else(role == Role::SiteAdmin, Class::Forbidden),
            Self::AllDataAdmin => users(role, role.edits_all()),
            Self::SelfOrAdmin => match (role, place) {
                (Role::SiteAdmin, Place::NoUser) => Class::NotFound,
                (Role::SiteAdmin, _) | (_, Place::Oneself) => users(role, true),
                _ => users(role, false),
            },
            Self::OwnThing => match (role, place) {
                (Role::Guest, _) => Class::Forbidden,
                (Role::SiteAdmin, Place::Other) | (_, Place::Oneself) => Class::Allowed,
                _ => Class::NotFound,
            },
            Self::OwnWork if role == Role::Guest => Class::Unauthorized,
            Self::OwnWork => if_else(place == Place::Oneself, Class::NotFound),
            Self::SeeProject => project(role, place, Level::See),
            Self::ReadProject => project(role, place, Level::Read),
            Self::ReadItem => item(role, place, Level::Read),
            Self::EditProject => project(role, place, Level::Edit),
            Self::EditItem => item(role, place, Level::Edit),
            Self::OwnItem => item(role, place, Level::Own),
            // Whoever has not logged in is told so before anything is looked at.
            Self::Refresh if role == Role::Guest => Class::Unauthorized,
            Self::Refresh => match item(role, place, Level::Edit) {
                Class::NotFound => Class::BadRequest,
                class => class,
            },
            Self::ReadMembers if role == Role::Guest => Class::Unauthorized,
            Self::ReadMembers => project(role, place, Level::Read),
            Self::OwnProject => project(role, place, Level::Own),
            Self::Review => match (project(role, place, Level::Own), project(role, place, Level::Read)) {
                (Class::Forbidden, Class::Allowed) => Class::NotFound,
                (class, _) => class,
            },
            Self::PutProject => match place {
                Place::Nowhere => users(role, true),
                _ => users(role, level(role, place) == Level::Own || place == Place::Unassigned),
            },
            Self::ReadPrearchive => prearchive(role, place, Level::Read),
            Self::EditPrearchive => prearchive(role, place, Level::Edit),
            Self::Import if place == Place::Unassigned => users(role, true),
            Self::Import => project(role, place, Level::Edit),
        }
    }
}

/// What guests are refused with 401 and users with 403.
fn users(role: Role, is_allowed: bool) -> Class {
    match role {
        Role::Guest => Class::Unauthorized,
        _ => if_else(is_allowed, Class::Forbidden),
    }
}

fn if_else(is_allowed: bool, otherwise: Class) -> Class {
    if is_allowed { Class::Allowed } else { otherwise }
}

fn level(role: Role, place: Place) -> Level {
    let by_role = match (role, place) {
        (_, Place::Nowhere | Place::Unassigned) => Level::Nothing,
        (Role::SiteAdmin | Role::AllAdmin, _) | (Role::Owner, Place::Own) => Level::Own,
        (Role::Member, Place::Own) => Level::Edit,
        (Role::Collaborator, Place::Own) | (Role::AllReader, _) => Level::Read,
        _ => Level::Nothing,
    };
    let by_accessibility = match place {
        Place::Public => Level::Read,
        Place::Protected if role != Role::Guest => Level::See,
        _ => Level::Nothing,
    };
    by_role.max(by_accessibility)
}

/// Projects and the archive: what may not even be seen does not exist.
fn project(role: Role, place: Place, needed: Level) -> Class {
    match (role, level(role, place)) {
        (_, had) if had >= needed => Class::Allowed,
        (Role::Guest, _) => Class::Unauthorized,
        (_, Level::Nothing) => Class::NotFound,
        _ => Class::Forbidden,
    }
}

/// What is addressed without its project: what may not be read does not exist.
fn item(role: Role, place: Place, needed: Level) -> Class {
    match project(role, place, needed) {
        Class::Forbidden if level(role, place) < Level::Read => Class::NotFound,
        class => class,
    }
}

/// The prearchive: 403 whether there is such a project or not, but for those who are told of all projects.
fn prearchive(role: Role, place: Place, needed: Level) -> Class {
    let all = if needed == Level::Read { role.reads_all() } else { role.edits_all() };
    match place {
        Place::Unassigned => users(role, all),
        // A list of sessions is empty where there is no project.
        Place::Nowhere if all && needed == Level::Read => Class::Allowed,
        Place::Nowhere if all => Class::NotFound,
        _ if level(role, place) >= needed => Class::Allowed,
        _ => users(role, false),
    }
}
