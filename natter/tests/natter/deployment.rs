//! The files of a deployment, held against the program that they start. There is no container engine in a test: what can
//! be checked without one is.

#![allow(clippy::unwrap_used)]

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

const SERVICES: [&str; 4] = ["gateway", "projector", "history-api", "migrate"];

#[test]
fn compose_sets_only_variables_that_its_services_know() {
    let known: BTreeSet<String> = SERVICES.iter().flat_map(|service| variables_in_help(service)).collect();
    let compose = read("docker-compose.yml");
    let broker = variables_in(&read("nats.conf"));
    let set: BTreeSet<String> = compose
        .lines()
        .filter_map(|line| line.trim().trim_start_matches("environment: {").split_once(':'))
        .flat_map(|(key, rest)| std::iter::once(key.trim().to_owned()).chain(inline_keys(rest)))
        .filter(|key| key.starts_with("NATTER_"))
        .collect();
    assert!(set.len() > 10, "{set:?}");
    let unknown: Vec<_> = set.iter().filter(|key| !known.contains(*key) && !broker.contains(*key)).collect();
    assert!(unknown.is_empty(), "no service knows {unknown:?}");
}

#[test]
fn the_broker_accepts_its_configuration_with_the_variables_that_compose_sets() {
    let compose = read("docker-compose.yml");
    let store = natter_testkit::scratch_folder("deployment");
    let mut check = Command::new(natter_testkit::tools().nats_server());
    check.arg("-t").arg("--config").arg(root().join("nats.conf"));
    for name in variables_in(&read("nats.conf")) {
        let line = compose.lines().find(|line| line.trim().starts_with(&format!("{name}:")));
        let value = line.unwrap_or_else(|| panic!("compose does not set {name}")).split_once(':').unwrap().1.trim();
        // `${NAME:-default}` and `${NAME:?why}` come from the operator's environment.
        let value = match value.strip_prefix("${").and_then(|value| value.strip_suffix('}')) {
            Some(given) => given.split_once(":-").map_or("secret", |(_, default)| default),
            None => value,
        };
        check.env(&name, if name == "NATTER_NATS_STORE" { store.to_str().unwrap() } else { value });
    }
    let output = check.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn every_line_of_the_brokers_configuration_is_explained() {
    let mut explained = false;
    for line in read("nats.conf").lines().map(str::trim) {
        match line {
            "" => explained = false,
            line if line.starts_with('#') => explained = true,
            "}" => {}
            line if line.ends_with('{') => {
                assert!(explained, "{line:?} has no comment");
                explained = false;
            }
            line => assert!(explained, "{line:?} has no comment"),
        }
    }
}

#[test]
fn the_image_is_built_from_every_crate_of_the_workspace() {
    let dockerfile = read("deploy/Dockerfile");
    let manifest: toml::Table = read("Cargo.toml").parse().unwrap();
    for member in manifest["workspace"]["members"].as_array().unwrap() {
        let member = member.as_str().unwrap();
        assert!(dockerfile.contains(&format!("COPY {member} {member}\n")), "the image lacks {member}");
    }
}

#[test]
fn nginx_sends_people_to_every_gateway_and_history_api_of_compose() {
    let (nginx, compose) = (read("deploy/nginx.conf"), read("docker-compose.yml"));
    for service in ["gateway-1", "gateway-2", "history-1", "history-2"] {
        assert!(compose.contains(&format!("\n  {service}:")), "compose has no {service}");
        assert!(nginx.contains(&format!("server {service}:8080 ")), "nginx does not know {service}");
    }
    let directives = nginx.lines().map(str::trim).filter(|line| !line.starts_with('#'));
    let sticky = directives.filter(|line| line.contains("ip_hash") || line.contains("sticky"));
    assert_eq!(sticky.collect::<Vec<_>>(), Vec::<&str>::new(), "any gateway can take any socket");
}

fn variables_in_help(service: &str) -> Vec<String> {
    let output = Command::new(env!("CARGO_BIN_EXE_natter")).args([service, "--help"]).output().unwrap();
    variables_in(&String::from_utf8(output.stdout).unwrap()).into_iter().collect()
}

/// Every name of one of Natter's variables in a text.
fn variables_in(text: &str) -> BTreeSet<String> {
    let words = text.split(|c: char| !(c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_'));
    words.filter(|word| word.starts_with("NATTER_") && !word.ends_with('_')).map(str::to_owned).collect()
}

/// The keys of a mapping that stands on one line.
fn inline_keys(rest: &str) -> Vec<String> {
    rest.split([',', '{', '}']).filter_map(|pair| pair.split_once(": ")).map(|(key, _)| key.trim().to_owned()).collect()
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap()
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap()
}
