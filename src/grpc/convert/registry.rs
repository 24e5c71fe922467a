//! Registries, and what is asked of them.

use super::page;
use super::time::pb_lifetime;
use super::violations::Violations;
use crate::broker::FieldViolation;
use crate::broker::manage::{CheckRegistry, GetRegistry, ListRegistries, Page, RegistryView};
use crate::pb;
use crate::registry::{Finding, Level};

/// What page tokens belong to.
const LIST: &str = "registries";

type Parsed<T> = Result<T, Vec<FieldViolation>>;

pub(in crate::grpc) fn list(message: &pb::ListRegistriesRequest) -> Parsed<ListRegistries> {
    let mut violations = Violations::default();
    let page = page::request(LIST, message.page_size, &message.page_token, &mut violations);
    violations.finish(page.map(|page| ListRegistries { page }))
}

pub(in crate::grpc) fn listed(page: &Page<RegistryView>) -> pb::ListRegistriesResponse {
    pb::ListRegistriesResponse {
        registries: page.items.iter().map(registry).collect(),
        next_page_token: page::token(LIST, page.next.as_deref()),
    }
}

pub(in crate::grpc) fn get(message: &pb::GetRegistryRequest) -> Parsed<GetRegistry> {
    let mut violations = Violations::default();
    let name = violations.check("name", message.name.parse());
    violations.finish(name.map(|name| GetRegistry { name }))
}

pub(in crate::grpc) fn check(message: &pb::CheckRegistryRequest) -> Parsed<CheckRegistry> {
    let mut violations = Violations::default();
    let name = violations.check("name", message.name.parse());
    violations.finish(name.map(|name| CheckRegistry { name }))
}

/// A registry, as operators get it.
pub(in crate::grpc) fn registry(view: &RegistryView) -> pb::Registry {
    pb::Registry {
        name: view.name.to_string(),
        host: view.host.clone(),
        driver: view.driver.to_owned(),
        service: view.service.clone(),
        anonymous: view.anonymous,
        default_lifetime: Some(pb_lifetime(view.default_lifetime)),
        max_lifetime: view.max_lifetime.map(pb_lifetime),
    }
}

/// A finding, as operators get it.
pub(in crate::grpc) fn finding(finding: &Finding) -> pb::Finding {
    let severity = match finding.level {
        Level::Ok => pb::Severity::Ok,
        Level::Warning => pb::Severity::Warning,
        Level::Error => pb::Severity::Error,
    };
    pb::Finding {
        severity: severity.into(),
        check: finding.check.to_owned(),
        message: finding.message.clone(),
        remedy: finding.remedy.clone(),
    }
}
