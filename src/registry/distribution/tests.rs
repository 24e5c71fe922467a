use super::*;
use crate::registry::{DriverName, KeyReference};

pub(in crate::registry) fn config() -> Config {
    Config {
        name: "local".parse().unwrap(),
        host: "localhost:5000".to_owned(),
        driver: DriverName::Distribution,
        service: "localhost:5000".to_owned(),
        token_issuer: "dockpass".to_owned(),
        key_reference: KeyReference::X5c,
        anonymous: false,
        default_lifetime: None,
        max_lifetime: None,
        jwt_lifetime: None,
    }
}
