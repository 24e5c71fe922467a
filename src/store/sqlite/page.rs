//! Definitions page by page, by name: what a page costs does not depend on how many there are.

use rusqlite::{Connection, Params, params};

use super::definitions::{Definition, parse};
use super::{Error, Store};
use crate::model::{RegistryName, ScopeMap, ScopeMapName, Token};

/// A page ends when its definitions, as they are stored, are larger than this together: answers have a size too.
const LARGEST: usize = 1 << 20;

const SCOPE_MAPS: &str =
    "SELECT body FROM scope_map WHERE registry = ?1 AND name > ?2 ORDER BY name LIMIT ?3";
const TOKENS: &str =
    "SELECT body FROM token WHERE registry = ?1 AND name > ?2 ORDER BY name LIMIT ?3";
/// By the expression of the index; without statistics SQLite would take the primary key, and read all tokens.
const TIED_TOKENS: &str = "SELECT body FROM token INDEXED BY token_scope_map \
     WHERE registry = ?1 AND json_extract(body, '$.scope_map') = ?4 AND name > ?2 ORDER BY name LIMIT ?3";

/// Some definitions, by name.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Page<T> {
    /// The definitions; at least one, unless there is none.
    pub items: Vec<T>,
    /// True when there are more after the last one.
    pub more: bool,
}

impl Store {
    /// At most `limit` scope maps of a registry whose names come after `after`.
    pub async fn scope_maps_after(
        &self,
        registry: RegistryName,
        after: String,
        limit: u32,
    ) -> Result<Page<ScopeMap>, Error> {
        self.read(move |connection| {
            page(connection, SCOPE_MAPS, params![registry.as_str(), after, beyond(limit)], limit)
        })
        .await
    }

    /// At most `limit` tokens of a registry whose names come after `after`; only those tied to `scope_map`, if one is named.
    pub async fn tokens_after(
        &self,
        registry: RegistryName,
        scope_map: Option<ScopeMapName>,
        after: String,
        limit: u32,
    ) -> Result<Page<Token>, Error> {
        self.read(move |connection| {
            let (registry, beyond) = (registry.as_str(), beyond(limit));
            match &scope_map {
                None => page(connection, TOKENS, params![registry, after, beyond], limit),
                Some(map) => page(
                    connection,
                    TIED_TOKENS,
                    params![registry, after, beyond, map.as_str()],
                    limit,
                ),
            }
        })
        .await
    }
}

/// One more than is wanted, to see whether there are more.
fn beyond(limit: u32) -> i64 {
    i64::from(limit) + 1
}

fn page<T: Definition>(
    connection: &Connection,
    sql: &str,
    params: impl Params,
    limit: u32,
) -> Result<Page<T>, Error> {
    let mut statement = connection.prepare_cached(sql)?;
    let mut rows = statement.query(params)?;
    let (mut items, mut size) = (Vec::new(), 0);
    while let Some(row) = rows.next()? {
        if items.len() >= limit as usize || size > LARGEST {
            return Ok(Page { items, more: true });
        }
        let body = row.get_ref(0)?.as_str().map_err(|error| Error::damaged(T::TABLE, error))?;
        size += body.len();
        items.push(parse(body)?);
    }
    Ok(Page { items, more: false })
}

#[cfg(test)]
mod tests {
    use super::super::tests::{definitions_of, store};
    use super::*;

    #[tokio::test]
    async fn a_page_costs_what_is_on_it() {
        let (_folder, store) = store().await;
        definitions_of(&store, 30).await;
        let connection = store.inner.connection.lock();
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

    #[tokio::test]
    async fn pages_follow_each_other_by_name() {
        let (_folder, store) = store().await;
        definitions_of(&store, 30).await;
        let registry: RegistryName = "prod".parse().unwrap();
        let (mut names, mut after) = (Vec::new(), String::new());
        loop {
            let page = store.tokens_after(registry.clone(), None, after, 7).await.unwrap();
            names.extend(page.items.iter().map(|token| token.name.to_string()));
            after = names.last().unwrap().clone();
            if !page.more {
                break;
            }
            assert_eq!(page.items.len(), 7);
        }
        assert!(names.len() == 30 && names.is_sorted(), "{names:?}");
        let elsewhere = "other".parse().unwrap();
        let none = store.tokens_after(elsewhere, None, String::new(), 7).await.unwrap();
        assert_eq!(none, Page { items: Vec::new(), more: false });
    }

    #[tokio::test]
    async fn a_page_of_large_definitions_is_short() {
        let (_folder, store) = store().await;
        definitions_of(&store, 3).await;
        let registry: RegistryName = "prod".parse().unwrap();
        // each of the scope maps has a description of 600 KiB
        let page = store.scope_maps_after(registry, String::new(), 100).await.unwrap();
        assert_eq!((page.items.len(), page.more), (2, true));
    }
}
