//! A policy of any size, written into the store as `dockpass policy apply` does.

use std::fmt::Write;
use std::path::Path;

use dockpass::audit::{Event, Journal, Kind};
use dockpass::config::Config;
use dockpass::model::{Clock, DecisionId, SystemClock, TokenUid};
use dockpass::policy::PolicyFile;
use dockpass::store::Store;

use crate::issuer::ISSUER;

/// Scope maps are fewer than tokens by this.
const TOKENS_OF_A_MAP: usize = 10;

/// The repository that callers of the benchmark ask for: all scope maps have it.
pub(crate) const REPOSITORY: &str = "shared/app";

/// Makes the policy in the store one of so many tokens, each of which admits the repository of its number.
pub(crate) fn fill(config: &Path, tokens: usize) -> anyhow::Result<()> {
    let config = Config::load(config)?;
    let file = PolicyFile::parse(&text(tokens)?)?;
    let runtime = tokio::runtime::Runtime::new()?;
    runtime.block_on(async {
        let store = Store::open(&config.store, &config.data_dir).await?;
        let now = SystemClock.now();
        let mut new_uid = || TokenUid::new(now);
        let before = store.definitions().await?;
        let after = file.onto(&before, now, "benchmark", &mut new_uid);
        if after == before {
            // a folder that is kept between runs has it
            return Ok(());
        }
        let event = Event::new(DecisionId::new(now), now, Kind::PolicyChange);
        let actor = "benchmark".to_owned();
        store.replace_definitions(after, actor, now, Journal::seal(event)).await?;
        Ok(())
    })
}

fn text(tokens: usize) -> anyhow::Result<String> {
    let maps = (tokens / TOKENS_OF_A_MAP).max(1);
    let mut text = String::new();
    for map in 0..maps {
        write!(
            text,
            "[[scope_maps]]\nregistry = \"local\"\nname = \"map-{map:05}\"\nowner = \"team-{map}\"\n\
             permissions.\"{REPOSITORY}\" = [\"content/read\", \"content/write\"]\n\
             permissions.\"team-{map}/app\" = [\"content/read\", \"content/write\"]\n\
             permissions.\"team-{map}/base/*\" = [\"content/read\"]\n"
        )?;
    }
    for token in 0..tokens {
        let map = token % maps;
        write!(
            text,
            "[[tokens]]\nregistry = \"local\"\nname = \"token-{token:06}\"\nscope_map = \"map-{map:05}\"\n\
             [[tokens.federated_credentials]]\nname = \"main\"\nissuer = \"{ISSUER}\"\n\
             claims.repository_id = [\"{token}\"]\nclaims.ref = [\"refs/heads/main\"]\n"
        )?;
    }
    Ok(text)
}
