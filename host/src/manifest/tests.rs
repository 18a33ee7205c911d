use super::*;

const HEAD: &str = "spin_manifest_version = 2\n[application]\nname = \"t\"\n";
const TRIGGER: &str = "[[trigger.http]]\nroute = \"/...\"\ncomponent = \"a\"\n";

fn parse(text: &str) -> Result<Manifest, HostError> {
    Manifest::parse(text, Path::new("/app/spin.toml"))
}

fn refusal(component: &str) -> String {
    parse(&format!("{HEAD}{TRIGGER}[component.a]\nsource = \"a.wasm\"\n{component}")).unwrap_err().report()
}

#[test]
fn reads_a_whole_manifest() {
    let manifest = parse(
        r#"
        spin_manifest_version = 2
        [application]
        name = "narthex"
        version = "0.1.0"
        authors = ["someone"]
        [variables]
        admin_user = { default = "admin", description = "who" }
        admin_password = { required = true, secret = true }
        [[trigger.http]]
        route = "/data/projects/:project/prearchive_code/..."
        component = "settings"
        [[trigger.http]]
        route = { private = true }
        component = "inflate-worker"
        executor = { type = "http" }
        [component.settings]
        source = "target/settings.wasm"
        description = "projects"
        key_value_stores = ["default", "records", "snake_case"]
        allowed_outbound_hosts = ["http://inflate-worker.spin.internal", "https://{{ admin_user }}.example.org"]
        environment = { RUST_LOG = "info" }
        [component.settings.variables]
        user = "{{ admin_user }}"
        [component.settings.build]
        command = "cargo build"
        workdir = "functions"
        [component.inflate-worker]
        source = "/elsewhere/worker.wasm"
        "#,
    )
    .unwrap();
    assert_eq!(manifest.name, "narthex");
    assert_eq!(manifest.variables["admin_password"].default, None);
    assert_eq!(manifest.triggers.len(), 2);
    assert_eq!(manifest.triggers[1].route, None);
    let settings = &manifest.components["settings"];
    assert_eq!(settings.source, Path::new("/app/target/settings.wasm"));
    assert_eq!(settings.key_value_stores.len(), 3);
    assert_eq!(settings.environment["RUST_LOG"], "info");
    assert_eq!(manifest.components["inflate-worker"].source, Path::new("/elsewhere/worker.wasm"));
}

#[test]
fn an_unknown_key_is_named() {
    assert!(refusal("key_value_store = [\"default\"]\n").contains("key_value_store"));
    let error = parse(&format!("{HEAD}colour = 1\n{TRIGGER}")).unwrap_err().report();
    assert!(error.contains("colour"), "{error}");
}

#[test]
fn what_the_host_cannot_do_is_refused_by_name() {
    for (text, key) in [
        ("files = [\"*.txt\"]", "files"),
        ("sqlite_databases = [\"default\"]", "sqlite_databases"),
        ("ai_models = [\"llama\"]", "ai_models"),
    ] {
        let error = refusal(text);
        assert!(error.contains(key) && error.contains("not supported"), "{error}");
    }
    assert!(parse(&format!("{HEAD}{TRIGGER}[component.a]\nsource = \"a.wasm\"\nfiles = []\n")).is_ok());
    let redis = format!("{HEAD}[[trigger.redis]]\nchannel = \"x\"\ncomponent = \"a\"\n");
    assert!(parse(&redis).unwrap_err().report().contains("redis"));
    let inline = format!("{HEAD}[[trigger.http]]\nroute = \"/\"\ncomponent = {{ source = \"a.wasm\" }}\n");
    assert!(parse(&inline).unwrap_err().report().contains("not supported"));
}

#[test]
fn names_and_templates_are_checked() {
    assert!(refusal("key_value_stores = [\"b@d\"]").contains("b@d"));
    assert!(refusal("variables = { Bad = \"x\" }").contains("lower_snake_case"));
    assert!(refusal("variables = { x = \"{{ y\" }").contains("without"));
    let error = parse(&format!("{HEAD}{TRIGGER}[component.\"../a\"]\nsource = \"a.wasm\"\n")).unwrap_err();
    assert!(error.report().contains("kebab-case"));
}

#[test]
fn a_trigger_needs_its_component() {
    let error = parse(&format!("{HEAD}{TRIGGER}")).unwrap_err().report();
    assert!(error.contains("[component.a]"), "{error}");
    assert!(matches!(parse(HEAD), Err(HostError::Manifest(ManifestError::NoTrigger))));
}

#[test]
fn another_version_is_refused() {
    let error = parse("spin_manifest_version = 3\n[application]\nname = \"t\"\n").unwrap_err();
    assert!(error.report().contains("version 2"));
}

#[test]
fn a_variable_has_a_default_or_is_required() {
    for variable in ["x = {}", "x = { required = true, default = \"1\" }"] {
        let error = parse(&format!("{HEAD}[variables]\n{variable}\n{TRIGGER}")).unwrap_err().report();
        assert!(error.contains("either"), "{error}");
    }
}
