//! Definitions page by page, by name, along the indexes.

use rusqlite::{Connection, Params, params};

use crate::model::{ScopeMap, ScopeMapName, Token};
use crate::store::definition::Definition;
use crate::store::engine::PageOf;
use crate::store::page::{Filling, beyond};
use crate::store::{Error, Page};

const SCOPE_MAPS: &str =
    "SELECT body FROM scope_map WHERE registry = ?1 AND name > ?2 ORDER BY name LIMIT ?3";
const TOKENS: &str =
    "SELECT body FROM token WHERE registry = ?1 AND name > ?2 ORDER BY name LIMIT ?3";
/// By the expression of the index; without statistics SQLite would take the primary key, and read all tokens.
const TIED_TOKENS: &str = "SELECT body FROM token INDEXED BY token_scope_map \
     WHERE registry = ?1 AND json_extract(body, '$.scope_map') = ?4 AND name > ?2 ORDER BY name LIMIT ?3";

/// Scope maps of a registry.
pub(super) fn scope_maps(connection: &Connection, of: &PageOf) -> Result<Page<ScopeMap>, Error> {
    let params = params![of.registry.as_str(), of.after, beyond(of.limit)];
    page(connection, SCOPE_MAPS, params, of.limit)
}

/// Tokens of a registry; only those tied to a scope map, if one is named.
pub(super) fn tokens(
    connection: &Connection,
    of: &PageOf,
    tied_to: Option<&ScopeMapName>,
) -> Result<Page<Token>, Error> {
    let (registry, beyond) = (of.registry.as_str(), beyond(of.limit));
    match tied_to {
        None => page(connection, TOKENS, params![registry, of.after, beyond], of.limit),
        Some(map) => {
            let params = params![registry, of.after, beyond, map.as_str()];
            page(connection, TIED_TOKENS, params, of.limit)
        }
    }
}

fn page<T: Definition>(
    connection: &Connection,
    sql: &str,
    params: impl Params,
    limit: u32,
) -> Result<Page<T>, Error> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(params)?;
    let mut page = Filling::new(limit);
    while let Some(row) = rows.next()? {
        if page.is_full() {
            return Ok(page.end(true));
        }
        page.add(row.get_ref(0)?.as_str().map_err(|error| Error::damaged(T::TABLE, error))?)?;
    }
    Ok(page.end(false))
}

#[cfg(test)]
mod tests {
    use super::super::tests::{sqlite, store};
    use super::*;
    use crate::store::tests::sample::definitions_of;

    #[tokio::test]
    async fn a_page_costs_what_is_on_it() {
        let (_folder, store) = store().await;
        definitions_of(&store, 30).await;
        let connection = sqlite(&store).inner.connection.lock();
        let plan = |sql: &str, params: &[&dyn rusqlite::ToSql]| {
            let sql = format!("EXPLAIN QUERY PLAN {sql}");
            connection.query_row(&sql, params, |row| row.get::<_, String>(3)).unwrap()
        };
        for sql in [SCOPE_MAPS, TOKENS] {
            let all = plan(sql, params!["prod", "name", 7]);
            assert!(all.contains("SEARCH") && all.contains("(registry=? AND name>?)"), "{all}");
        }
        let tied = plan(TIED_TOKENS, params!["prod", "name", 7, "map"]);
        assert!(tied.contains("INDEX token_scope_map") && tied.contains("name>?"), "{tied}");
    }
}
