//! Lists in pages, by name.

/// Which page is wanted.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct PageRequest {
    /// At most so many.
    pub size: u32,
    /// Only names after this one; empty = from the first.
    pub after: String,
}

/// A page.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Page<T> {
    /// By name. There may be fewer than asked for also when there are more: a page is bounded by its size in bytes as well.
    pub items: Vec<T>,
    /// The name after which the next page starts; none = there is none.
    pub next: Option<String>,
}

impl<T> Page<T> {
    /// A page of what comes after `request.after`, out of all.
    pub(super) fn of_all<'a>(
        all: impl Iterator<Item = T>,
        name: impl Fn(&T) -> &str + 'a,
        request: &PageRequest,
    ) -> Self {
        let size = request.size as usize;
        let mut items: Vec<T> =
            all.filter(|item| name(item) > request.after.as_str()).take(size + 1).collect();
        let more = items.len() > size;
        items.truncate(size);
        let next = items.last().filter(|_| more).map(|last| name(last).to_owned());
        Self { items, next }
    }
}
