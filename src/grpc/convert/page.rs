//! Pages of lists: a page token is the last name of the page before, with the list that it belongs to.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::violations::Violations;
use crate::broker::manage::PageRequest;

/// How many are on a page when nobody says.
const DEFAULT: u32 = 100;
/// The most on a page.
const MOST: u32 = 1000;
/// Stands between the list and the name; in neither of them.
const SEPARATOR: char = '\n';

/// Which page of `list` is wanted; `list` names the method and what it is asked for.
pub(super) fn request(
    list: &str,
    size: i32,
    token: &str,
    violations: &mut Violations,
) -> Option<PageRequest> {
    let size = violations.check("page_size", page_size(size))?;
    let foreign = "it is not a page token of this list: start without one";
    let after = violations.check("page_token", after(list, token).ok_or(foreign))?;
    Some(PageRequest { size, after })
}

/// The token of the page after the one that ends with `last`; empty = there is none.
pub(in crate::grpc) fn token(list: &str, last: Option<&str>) -> String {
    last.map_or_else(String::new, |last| URL_SAFE_NO_PAD.encode(format!("{list}{SEPARATOR}{last}")))
}

pub(super) fn page_size(size: i32) -> Result<u32, &'static str> {
    match u32::try_from(size) {
        Ok(0) => Ok(DEFAULT),
        Ok(size) => Ok(size.min(MOST)),
        Err(_) => Err("a page has at least one entry; 0 = 100"),
    }
}

fn after(list: &str, token: &str) -> Option<String> {
    if token.is_empty() {
        return Some(String::new());
    }
    let text = String::from_utf8(URL_SAFE_NO_PAD.decode(token).ok()?).ok()?;
    let (of, last) = text.rsplit_once(SEPARATOR)?;
    (of == list && !last.is_empty()).then(|| last.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(list: &str, size: i32, token: &str) -> Result<PageRequest, String> {
        let mut violations = Violations::default();
        let request = request(list, size, token, &mut violations);
        violations.finish(request).map_err(|wrong| wrong[0].field.clone())
    }

    #[test]
    fn a_page_token_is_good_for_its_own_list_only() {
        let next = token("tokens local", Some("nginx-ci"));
        let page = PageRequest { size: 7, after: "nginx-ci".to_owned() };
        assert_eq!(read("tokens local", 7, &next), Ok(page));
        for (list, token) in [
            ("tokens other", next.as_str()),
            ("tokens", next.as_str()),
            ("tokens local", "garbage!"),
            ("tokens local", "AAAA"),
            ("tokens local", &token("tokens local", Some(""))),
        ] {
            assert_eq!(read(list, 7, token), Err("page_token".to_owned()), "{list} {token}");
        }
        assert_eq!(token("tokens local", None), "");
    }

    #[test]
    fn a_page_has_a_size() {
        for (asked, size) in [(0, 100), (1, 1), (1000, 1000), (1001, 1000), (i32::MAX, 1000)] {
            assert_eq!(read("list", asked, "").map(|page| page.size), Ok(size));
        }
        assert_eq!(read("list", -1, ""), Err("page_size".to_owned()));
    }
}
