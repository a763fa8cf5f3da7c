//! What stories over all services have in common: the services, and people who use them by HTTP.

use std::process::Command;

use natter_testkit::eventually;
use serde_json::{Value, json};
use uuid::Uuid;

use crate::alone::{Deployment, is_ready};
use crate::program::{LONG, Service, run};

/// The services of a deployment, started.
pub struct Services {
    pub gateway: Service,
    history: Service,
    _projector: Service,
}

impl Services {
    pub async fn start(deployment: &Deployment) -> Self {
        Self::start_with(deployment, |_| {}).await
    }

    /// The same, with a gateway that is told more.
    pub async fn start_with(deployment: &Deployment, tell: impl FnOnce(&mut Command)) -> Self {
        let migrated = run(deployment.migrate());
        assert_eq!(migrated.code, Some(0), "{}", migrated.stderr);
        let history = Service::start(deployment.history(), "The history API listens on ");
        let mut gateway = deployment.gateway(&history.url);
        tell(&mut gateway);
        let gateway = Service::start(gateway, "The gateway listens on ");
        let projector = Service::start(deployment.projector(), "The projector answers about itself on ");
        for service in [&history, &gateway, &projector] {
            eventually("the service is ready", LONG, async || is_ready(&service.url).await).await;
        }
        Self { gateway, history, _projector: projector }
    }
}

pub struct Person {
    pub gateway: String,
    pub history: String,
    pub token: String,
}

impl Person {
    pub async fn enters(services: &Services, door: &str, handle: &str) -> Self {
        let account = json!({"handle": handle, "password": "correct horse battery"});
        let (gateway, history) = (services.gateway.url.clone(), services.history.url.clone());
        let answer = reqwest::Client::new().post(format!("{gateway}/auth/{door}")).json(&account).send().await;
        let tokens: Value = answer.expect("answered").json().await.expect("JSON");
        Self { gateway, history, token: tokens["access_token"].as_str().expect("a token").to_owned() }
    }

    pub async fn ask(&self, method: &str, path: &str, after: Option<&Value>, body: Option<Value>) -> (u16, Value) {
        let method = method.parse().expect("a method");
        let url = if path.starts_with("/history") { &self.history } else { &self.gateway };
        let mut request = reqwest::Client::new().request(method, format!("{url}{path}"));
        request = request.bearer_auth(&self.token);
        if let Some(position) = after {
            request = request.header("natter-min-position", position.as_str().expect("a position"));
        }
        if let Some(body) = body {
            request = request.json(&body);
        }
        let answer = request.send().await.expect("answered");
        (answer.status().as_u16(), answer.json().await.expect("JSON"))
    }

    /// Does something, which succeeds.
    pub async fn does(&self, method: &str, path: String, body: Option<Value>) -> Value {
        let separator = if path.contains('?') { '&' } else { '?' };
        let path = if body.is_some() { path } else { format!("{path}{separator}id={}", Uuid::now_v7()) };
        let (status, ok) = self.ask(method, &path, None, body).await;
        assert_eq!(status, 200, "{method} {path}: {ok}");
        ok
    }

    pub async fn reads(&self, path: &str, after: &Value) -> Value {
        let (status, page) = self.ask("GET", path, Some(after), None).await;
        assert_eq!(status, 200, "{path}: {page}");
        page
    }
}
