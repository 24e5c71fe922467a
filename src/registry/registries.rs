//! All configured registries.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::distribution::Distribution;
use super::distribution::keys::{Signer, SigningThread};
use super::{
    Config, Dependencies, Driver, Error, KeyReference, KeysConfig, Minting, NotificationsToken,
    Registry,
};
use crate::cache::Sharing;
use crate::model::RegistryName;

/// The configured registries.
#[derive(Clone, Debug)]
pub struct Registries {
    by_name: BTreeMap<RegistryName, Registry>,
    by_service: BTreeMap<String, RegistryName>,
    x5c: Option<Signer>,
    kid: Option<Signer>,
    signing: Arc<SigningThread>,
}

impl Registries {
    /// Makes the drivers. The root of x5c mode is made when a registry uses it and its files are missing.
    ///
    /// # Errors
    /// Two registries of one name or service, unusable keys: with the registry or file named.
    #[expect(clippy::needless_pass_by_value, reason = "a part is given its configuration for good")]
    pub fn build(
        configs: Vec<Config>,
        keys: KeysConfig,
        deps: Dependencies,
    ) -> Result<Self, Error> {
        configs.iter().try_for_each(Config::refuse_malformed)?;
        let (x5c, kid) = (x5c_signer(&configs, &keys, &deps)?, kid_signer(&configs, &keys)?);
        let signing = Arc::default();
        let mut registries =
            Self { by_name: BTreeMap::new(), by_service: BTreeMap::new(), x5c, kid, signing };
        for config in &configs {
            registries.add(config, &deps)?;
        }
        Ok(registries)
    }

    /// A registry by its name.
    pub fn get(&self, name: &RegistryName) -> Option<&Registry> {
        self.by_name.get(name)
    }

    /// The registry whose token server answers for `service`.
    pub fn by_service(&self, service: &str) -> Option<&Registry> {
        self.by_name.get(self.by_service.get(service)?)
    }

    /// All registries, by name.
    pub fn iter(&self) -> impl Iterator<Item = &Registry> {
        self.by_name.values()
    }

    /// The public keys of kid mode as a JWK set (RFC 7517); no keys in x5c mode.
    pub fn jwks(&self) -> serde_json::Value {
        let keys = match &self.kid {
            Some(Signer::Kid(keys)) => keys.iter().map(|key| key.jwk.clone()).collect(),
            _ => Vec::new(),
        };
        serde_json::json!({ "keys": keys })
    }

    /// The root certificate of x5c mode, PEM; empty when no registry uses it.
    pub fn root_certificate_pem(&self) -> String {
        self.x5c.as_ref().map(Signer::bundle_pem).unwrap_or_default()
    }

    fn add(&mut self, config: &Config, deps: &Dependencies) -> Result<(), Error> {
        let name = config.name.clone();
        if let Some(other) = self.by_service.insert(config.service.clone(), name.clone()) {
            return Err(Error::Config(format!(
                "the registries `{other}` and `{name}` have the same service `{}`: give each its own",
                config.service
            )));
        }
        let registry = self.registry(config, deps)?;
        match self.by_name.insert(name.clone(), registry) {
            None => Ok(()),
            Some(_) => Err(Error::Config(format!("there are two registries named `{name}`"))),
        }
    }

    fn registry(&self, config: &Config, deps: &Dependencies) -> Result<Registry, Error> {
        let signer = match config.key_reference {
            KeyReference::Kid => &self.kid,
            KeyReference::X5c => &self.x5c,
        };
        let signer =
            signer.clone().ok_or_else(|| Error::Internal("no keys were made".to_owned()))?;
        let driver = Arc::new(Distribution {
            config: config.clone(),
            signer,
            deps: deps.clone(),
            signing: Arc::clone(&self.signing),
        });
        Ok(Registry {
            name: config.name.clone(),
            host: config.host.clone(),
            uid: config.uid(),
            bounds: config.bounds(),
            anonymous: config.anonymous,
            notifications_token: NotificationsToken::of(config)?,
            sharing: sharing(config, driver.minting()),
            driver,
        })
    }
}

/// Who may find the access tokens of a registry for reuse.
const fn sharing(config: &Config, minting: Minting) -> Sharing {
    match (config.local_only, minting) {
        (true, _) => Sharing::Nothing,
        (false, Minting::Local) => Sharing::Values,
        (false, Minting::Remote) => Sharing::Mints,
    }
}

fn x5c_signer(
    configs: &[Config],
    keys: &KeysConfig,
    deps: &Dependencies,
) -> Result<Option<Signer>, Error> {
    configs
        .iter()
        .filter(|config| config.key_reference == KeyReference::X5c)
        .map(Config::jwt_lifetime)
        .max()
        .map(|longest| Signer::x5c(keys, longest, deps.clock.now()))
        .transpose()
}

fn kid_signer(configs: &[Config], keys: &KeysConfig) -> Result<Option<Signer>, Error> {
    let used = configs.iter().any(|config| config.key_reference == KeyReference::Kid);
    used.then(|| Signer::kid(keys)).transpose()
}

#[cfg(test)]
mod tests;
