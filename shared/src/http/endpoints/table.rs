//! The table itself.

use super::Operation;

/// The parts of the table, one for each component.
macro_rules! endpoints {
    ($($(#[$doc:meta])* $component:ident { $($name:ident: $($method:ident $pattern:literal),+;)+ })+) => {
        pub(super) static ALL: &[&[Operation]] = &[$($component::OPERATIONS),+];
        $(
            $(#[$doc])*
            pub mod $component {
                use super::super::{Found, Operation, Route, Router};
                use crate::http::{ClientError, RequestContext};

                /// An operation of this component.
                #[derive(Debug, Clone, Copy, PartialEq, Eq)]
                pub enum Endpoint {
                    $(
                        #[doc = concat!($("`", stringify!($method), " ", $pattern, "` "),+)]
                        $name,
                    )+
                }

                static ROUTES: &[Route<Endpoint>] = &[$($(
                    Route { method: stringify!($method), pattern: $pattern, endpoint: Endpoint::$name },
                )+)+];

                pub(super) static OPERATIONS: &[Operation] = &[$($(
                    Operation {
                        component: stringify!($component),
                        name: stringify!($name),
                        method: stringify!($method),
                        pattern: $pattern,
                    },
                )+)+];

                thread_local! {
                    static ROUTER: Router<Endpoint> = Router::new(ROUTES);
                }

                /// The operation that a request asks for.
                ///
                /// # Errors
                /// 404 for an unknown path, 405 for another method.
                pub fn find(context: &RequestContext) -> Result<Found<Endpoint>, ClientError> {
                    ROUTER.with(|router| router.find(context))
                }
            }
        )+
    };
}

endpoints! {
    /// The prearchive.
    prearchive {
        ListAll: GET "/data/prearchive", GET "/data/prearchive/projects";
        Resync: PUT "/data/prearchive";
        Recent: GET "/data/prearchive/experiments";
        ListProject: GET "/data/prearchive/projects/{project}";
        Session: GET "/data/prearchive/projects/{project}/{timestamp}/{session}";
        Act: POST "/data/prearchive/projects/{project}/{timestamp}/{session}";
        DeleteSession: DELETE "/data/prearchive/projects/{project}/{timestamp}/{session}";
        Logs: GET "/data/prearchive/projects/{project}/{timestamp}/{session}/logs";
        Log: GET "/data/prearchive/projects/{project}/{timestamp}/{session}/logs/{log}";
        Scans: GET "/data/prearchive/projects/{project}/{timestamp}/{session}/scans";
        Scan: GET "/data/prearchive/projects/{project}/{timestamp}/{session}/scans/{scan}";
        DeleteScan: DELETE "/data/prearchive/projects/{project}/{timestamp}/{session}/scans/{scan}";
        ScanResources: GET "/data/prearchive/projects/{project}/{timestamp}/{session}/scans/{scan}/resources";
        ScanResource: GET "/data/prearchive/projects/{project}/{timestamp}/{session}/scans/{scan}/resources/{resource}";
        ScanFiles:
            GET "/data/prearchive/projects/{project}/{timestamp}/{session}/scans/{scan}/resources/{resource}/files";
        ScanFile:
            GET "/data/prearchive/projects/{project}/{timestamp}/{session}/scans/{scan}/resources/{resource}/files/{*file}";
        Resources: GET "/data/prearchive/projects/{project}/{timestamp}/{session}/resources";
        Resource: GET "/data/prearchive/projects/{project}/{timestamp}/{session}/resources/{resource}";
        DeleteResource: DELETE "/data/prearchive/projects/{project}/{timestamp}/{session}/resources/{resource}";
        Files: GET "/data/prearchive/projects/{project}/{timestamp}/{session}/resources/{resource}/files";
        AddFiles:
            PUT "/data/prearchive/projects/{project}/{timestamp}/{session}/resources/{resource}/files",
            POST "/data/prearchive/projects/{project}/{timestamp}/{session}/resources/{resource}/files";
        File: GET "/data/prearchive/projects/{project}/{timestamp}/{session}/resources/{resource}/files/{*file}";
        AddFile:
            PUT "/data/prearchive/projects/{project}/{timestamp}/{session}/resources/{resource}/files/{*file}",
            POST "/data/prearchive/projects/{project}/{timestamp}/{session}/resources/{resource}/files/{*file}";
        DeleteFile:
            DELETE "/data/prearchive/projects/{project}/{timestamp}/{session}/resources/{resource}/files/{*file}";
        Move: POST "/data/services/prearchive/move";
        Rebuild: POST "/data/services/prearchive/rebuild";
        Delete: POST "/data/services/prearchive/delete";
        Sweep: POST "/data/services/prearchive/sweep";
    }
    /// The import service.
    import {
        Import: POST "/data/services/import", POST "/data/services/import/{*name}";
        ResumableOptions: OPTIONS "/data/services/import/resumable";
        ResumableList: GET "/data/services/import/resumable";
        ResumableBegin: POST "/data/services/import/resumable";
        ResumableShow: GET "/data/services/import/resumable/{upload}";
        ResumableAppend: PATCH "/data/services/import/resumable/{upload}";
        ResumableRemove: DELETE "/data/services/import/resumable/{upload}";
        CacheResources: GET "/data/user/cache/resources";
        MakeCacheResource: PUT "/data/user/cache/resources/{resource}";
        AddCacheFiles:
            PUT "/data/user/cache/resources/{resource}/files", POST "/data/user/cache/resources/{resource}/files";
        PutCacheFile: PUT "/data/user/cache/resources/{resource}/files/{*file}";
        PostCacheFile: POST "/data/user/cache/resources/{resource}/files/{*file}";
        CacheFiles: GET "/data/user/cache/resources/{resource}", GET "/data/user/cache/resources/{resource}/files";
        CacheFile: GET "/data/user/cache/resources/{resource}/files/{*file}";
        DeleteCacheFiles: DELETE "/data/user/cache/resources/{resource}/files/{*file}";
        DeleteCacheResource: DELETE "/data/user/cache/resources/{resource}";
    }
    /// Archiving, and reading the archive back.
    archive {
        Archive: POST "/data/services/archive";
        Validate: POST "/data/services/validate-archive";
        ProjectSubjects: GET "/data/projects/{project}/subjects";
        NewSubject: POST "/data/projects/{project}/subjects";
        ProjectSubject:
            GET "/data/projects/{project}/subjects/{subject}",
            GET "/data/projects/{project}/subjects/{subject}/{*rest}";
        PutSubject: PUT "/data/projects/{project}/subjects/{subject}";
        DeleteSubject: DELETE "/data/projects/{project}/subjects/{subject}";
        PutInSubject: PUT "/data/projects/{project}/subjects/{subject}/{*rest}";
        PostInSubject: POST "/data/projects/{project}/subjects/{subject}/{*rest}";
        DeleteInSubject: DELETE "/data/projects/{project}/subjects/{subject}/{*rest}";
        SubjectExperiments: GET "/data/projects/{project}/subjects/{subject}/experiments";
        SubjectExperiment:
            GET "/data/projects/{project}/subjects/{subject}/experiments/{experiment}",
            GET "/data/projects/{project}/subjects/{subject}/experiments/{experiment}/{*rest}";
        ProjectExperiments: GET "/data/projects/{project}/experiments";
        ProjectExperiment:
            GET "/data/projects/{project}/experiments/{experiment}",
            GET "/data/projects/{project}/experiments/{experiment}/{*rest}";
        PutExperiment:
            PUT "/data/projects/{project}/subjects/{subject}/experiments/{experiment}",
            PUT "/data/projects/{project}/experiments/{experiment}";
        DeleteExperiment:
            DELETE "/data/projects/{project}/subjects/{subject}/experiments/{experiment}",
            DELETE "/data/projects/{project}/experiments/{experiment}";
        PutInExperiment:
            PUT "/data/projects/{project}/subjects/{subject}/experiments/{experiment}/{*rest}",
            PUT "/data/projects/{project}/experiments/{experiment}/{*rest}";
        PostInExperiment:
            POST "/data/projects/{project}/subjects/{subject}/experiments/{experiment}/{*rest}",
            POST "/data/projects/{project}/experiments/{experiment}/{*rest}";
        DeleteInExperiment:
            DELETE "/data/projects/{project}/subjects/{subject}/experiments/{experiment}/{*rest}",
            DELETE "/data/projects/{project}/experiments/{experiment}/{*rest}";
        ShareSubject: PUT "/data/projects/{project}/subjects/{subject}/projects/{target}";
        UnshareSubject: DELETE "/data/projects/{project}/subjects/{subject}/projects/{target}";
        ShareSubjectOfId: PUT "/data/subjects/{subject}/projects/{target}";
        UnshareSubjectOfId: DELETE "/data/subjects/{subject}/projects/{target}";
        ShareExperiment:
            PUT "/data/projects/{project}/subjects/{subject}/experiments/{experiment}/projects/{target}",
            PUT "/data/projects/{project}/experiments/{experiment}/projects/{target}";
        UnshareExperiment:
            DELETE "/data/projects/{project}/subjects/{subject}/experiments/{experiment}/projects/{target}",
            DELETE "/data/projects/{project}/experiments/{experiment}/projects/{target}";
        ShareExperimentOfId: PUT "/data/experiments/{experiment}/projects/{target}";
        UnshareExperimentOfId: DELETE "/data/experiments/{experiment}/projects/{target}";
        ProjectResources:
            GET "/data/projects/{project}/resources", GET "/data/projects/{project}/resources/{*rest}";
        ProjectFiles: GET "/data/projects/{project}/files";
        PutProjectResource: PUT "/data/projects/{project}/resources/{*rest}";
        PostProjectResource: POST "/data/projects/{project}/resources/{*rest}";
        DeleteProjectResource: DELETE "/data/projects/{project}/resources/{*rest}";
        Subjects: GET "/data/subjects";
        ProjectSubjectProjects: GET "/data/projects/{project}/subjects/{subject}/projects";
        ProjectSubjectStatus: GET "/data/projects/{project}/subjects/{subject}/status";
        SubjectProjects: GET "/data/subjects/{subject}/projects";
        SubjectStatus: GET "/data/subjects/{subject}/status";
        Subject: GET "/data/subjects/{subject}", GET "/data/subjects/{subject}/{*rest}";
        ChangeSubjectOfId: PUT "/data/subjects/{subject}";
        DeleteSubjectOfId: DELETE "/data/subjects/{subject}";
        PutInSubjectOfId: PUT "/data/subjects/{subject}/{*rest}";
        PostInSubjectOfId: POST "/data/subjects/{subject}/{*rest}";
        DeleteInSubjectOfId: DELETE "/data/subjects/{subject}/{*rest}";
        Experiments: GET "/data/experiments";
        Experiment: GET "/data/experiments/{experiment}", GET "/data/experiments/{experiment}/{*rest}";
        ChangeExperimentOfId: PUT "/data/experiments/{experiment}";
        DeleteExperimentOfId: DELETE "/data/experiments/{experiment}";
        PutInExperimentOfId: PUT "/data/experiments/{experiment}/{*rest}";
        PostInExperimentOfId: POST "/data/experiments/{experiment}/{*rest}";
        DeleteInExperimentOfId: DELETE "/data/experiments/{experiment}/{*rest}";
    }
    /// Refreshing catalogs.
    catalog {
        Refresh: POST "/data/services/refresh/catalog";
    }
    /// The resource quarantine.
    triage {
        Approve: POST "/data/services/triage/approve", PUT "/data/services/triage/approve";
        List:
            GET "/data/services/triage/projects/{project}", GET "/data/services/triage/projects/{project}/resources";
        Folder: GET "/data/services/triage/projects/{project}/resources/{folder}";
        MakeFolder: PUT "/data/services/triage/projects/{project}/resources/{folder}";
        DeleteFolder: DELETE "/data/services/triage/projects/{project}/resources/{folder}";
        Files: GET "/data/services/triage/projects/{project}/resources/{folder}/files";
        AddFiles:
            POST "/data/services/triage/projects/{project}/resources/{folder}/files",
            PUT "/data/services/triage/projects/{project}/resources/{folder}/files";
        File: GET "/data/services/triage/projects/{project}/resources/{folder}/files/{*file}";
        AddFile:
            POST "/data/services/triage/projects/{project}/resources/{folder}/files/{*file}",
            PUT "/data/services/triage/projects/{project}/resources/{folder}/files/{*file}";
        DeleteFile: DELETE "/data/services/triage/projects/{project}/resources/{folder}/files/{*file}";
    }
    /// What has happened, and who is told.
    events {
        ProjectHistory: GET "/data/projects/{project}/history";
        Webhooks: GET "/data/projects/{project}/webhooks";
        NewWebhook: POST "/data/projects/{project}/webhooks";
        Webhook: GET "/data/projects/{project}/webhooks/{webhook}";
        SetWebhook: PUT "/data/projects/{project}/webhooks/{webhook}";
        RemoveWebhook: DELETE "/data/projects/{project}/webhooks/{webhook}";
        TryWebhook: POST "/data/projects/{project}/webhooks/{webhook}/test";
        Deliveries: GET "/data/projects/{project}/webhooks/{webhook}/deliveries";
        SiteWebhooks: GET "/data/webhooks";
        NewSiteWebhook: POST "/data/webhooks";
        SiteWebhook: GET "/data/webhooks/{webhook}";
        SetSiteWebhook: PUT "/data/webhooks/{webhook}";
        RemoveSiteWebhook: DELETE "/data/webhooks/{webhook}";
        TrySiteWebhook: POST "/data/webhooks/{webhook}/test";
        SiteDeliveries: GET "/data/webhooks/{webhook}/deliveries";
        Deliver: POST "/data/services/webhooks/deliver";
    }
    /// Projects and their settings.
    settings {
        Projects: GET "/data/projects";
        NewProject: POST "/data/projects";
        Project: GET "/data/projects/{project}";
        PutProject: PUT "/data/projects/{project}";
        DeleteProject: DELETE "/data/projects/{project}";
        Accessibility: GET "/data/projects/{project}/accessibility";
        SetAccessibility:
            PUT "/data/projects/{project}/accessibility", PUT "/data/projects/{project}/accessibility/{level}";
        PrearchiveCode: GET "/data/projects/{project}/prearchive_code";
        SetPrearchiveCode:
            PUT "/data/projects/{project}/prearchive_code", PUT "/data/projects/{project}/prearchive_code/{code}";
        QuarantineCode: GET "/data/projects/{project}/quarantine_code";
        SetQuarantineCode:
            PUT "/data/projects/{project}/quarantine_code", PUT "/data/projects/{project}/quarantine_code/{code}";
        ResourceQuarantine: GET "/data/projects/{project}/resource_quarantine";
        SetResourceQuarantine:
            PUT "/data/projects/{project}/resource_quarantine",
            PUT "/data/projects/{project}/resource_quarantine/{code}";
        SurplusPath:
            GET "/data/projects/{project}/accessibility/{level}",
            GET "/data/projects/{project}/accessibility/{level}/{*rest}",
            PUT "/data/projects/{project}/accessibility/{level}/{*rest}",
            GET "/data/projects/{project}/prearchive_code/{code}",
            GET "/data/projects/{project}/prearchive_code/{code}/{*rest}",
            PUT "/data/projects/{project}/prearchive_code/{code}/{*rest}",
            GET "/data/projects/{project}/quarantine_code/{code}",
            GET "/data/projects/{project}/quarantine_code/{code}/{*rest}",
            PUT "/data/projects/{project}/quarantine_code/{code}/{*rest}",
            GET "/data/projects/{project}/resource_quarantine/{code}",
            GET "/data/projects/{project}/resource_quarantine/{code}/{*rest}",
            PUT "/data/projects/{project}/resource_quarantine/{code}/{*rest}";
        UnservedSetting:
            GET "/data/projects/{project}/current_arc", PUT "/data/projects/{project}/current_arc",
            PUT "/data/projects/{project}/current_arc/{*rest}",
            GET "/data/projects/{project}/scan_type_mapping", PUT "/data/projects/{project}/scan_type_mapping",
            PUT "/data/projects/{project}/scan_type_mapping/{*rest}";
        Members: GET "/data/projects/{project}/users";
        AddMembers: PUT "/data/projects/{project}/users/{role}/{login}";
        RemoveMembers: DELETE "/data/projects/{project}/users/{role}/{login}";
        ProjectConfig: GET "/data/projects/{project}/config/{tool}/{*file}";
        SetProjectConfig: PUT "/data/projects/{project}/config/{tool}/{*file}";
        DeleteProjectConfig: DELETE "/data/projects/{project}/config/{tool}/{*file}";
        SiteConfig: GET "/data/config/{tool}/{*file}";
    }
    /// Login, users, and what clients ask for when they connect.
    access {
        Home: GET "/";
        Login: GET "/data/JSESSION", POST "/data/JSESSION";
        Logout: DELETE "/data/JSESSION";
        WhoAmI: GET "/data/auth";
        FormLogin: PUT "/data/services/auth", POST "/data/services/auth";
        BuildInfo: GET "/xapi/siteConfig/buildInfo";
        Version: GET "/xapi/siteConfig/buildInfo/version";
        Users: GET "/xapi/users";
        NewUser: POST "/xapi/users";
        Profiles: GET "/xapi/users/profiles";
        Schemas: GET "/xapi/schemas";
        Schema: GET "/xapi/schemas/{*schema}";
        ProjectAccess: GET "/xapi/access/projects";
        SearchElements: GET "/data/search/elements";
        SearchFields: GET "/data/search/elements/{type}";
        Search: POST "/data/search";
        Username: GET "/xapi/users/username";
        CurrentUser: GET "/xapi/users/current";
        EndLogins: DELETE "/xapi/users/active/{user}";
        User: GET "/xapi/users/{user}";
        ChangeUser: PUT "/xapi/users/{user}";
        Enabled: GET "/xapi/users/{user}/enabled";
        SetEnabled: PUT "/xapi/users/{user}/enabled/{value}";
        Verified: GET "/xapi/users/{user}/verified";
        SetVerified: PUT "/xapi/users/{user}/verified/{value}";
        Roles: GET "/xapi/users/{user}/roles";
        JoinRole: PUT "/xapi/users/{user}/roles/{role}";
        LeaveRole: DELETE "/xapi/users/{user}/roles/{role}";
        Groups: GET "/xapi/users/{user}/groups";
        JoinGroup: PUT "/xapi/users/{user}/groups/{group}";
        LeaveGroup: DELETE "/xapi/users/{user}/groups/{group}";
        UserTable: GET "/data/users";
        IssueToken: GET "/data/services/tokens/issue";
        IssueTokenFor: GET "/data/services/tokens/issue/user/{user}";
        ShowTokens: GET "/data/services/tokens/show";
        ShowTokensOf: GET "/data/services/tokens/show/user/{user}";
        ValidateToken: GET "/data/services/tokens/validate/{alias}/{secret}";
        InvalidateToken:
            GET "/data/services/tokens/invalidate/{alias}",
            GET "/data/services/tokens/invalidate/{alias}/{secret}";
        JobStatus: GET "/data/status/{key}";
        ForgetJob: DELETE "/data/status/{key}";
        EventTracking: GET "/xapi/event_tracking/{key}";
        EventPayload: GET "/xapi/event_tracking/{key}/payload";
        UnknownTokenOperation: GET "/data/services/tokens", GET "/data/services/tokens/{*operation}";
    }
}
