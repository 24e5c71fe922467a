//! Definitions page by page, by name.

use super::Error;
use super::definition::{Definition, parse};

/// A page ends when its definitions, as they are stored, are larger than this together: answers have a size too.
pub(super) const LARGEST: usize = 1 << 20;

/// Some definitions, by name.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Page<T> {
    /// The definitions; at least one, unless there is none.
    pub items: Vec<T>,
    /// True when there are more after the last one.
    pub more: bool,
}

/// A page while it is filled.
#[derive(Debug)]
pub(super) struct Filling<T> {
    items: Vec<T>,
    limit: usize,
    size: usize,
}

impl<T: Definition> Filling<T> {
    /// A page of at most `limit` definitions.
    pub(super) fn new(limit: u32) -> Self {
        Self { items: Vec::new(), limit: usize::try_from(limit).unwrap_or(usize::MAX), size: 0 }
    }

    /// True when the next definition belongs to the next page.
    pub(super) fn is_full(&self) -> bool {
        self.items.len() >= self.limit || self.size > LARGEST
    }

    /// Adds a definition as it is kept.
    pub(super) fn add(&mut self, body: &str) -> Result<(), Error> {
        self.size = self.size.saturating_add(body.len());
        self.items.push(parse(body)?);
        Ok(())
    }

    /// The page.
    pub(super) fn end(self, more: bool) -> Page<T> {
        Page { items: self.items, more }
    }
}

/// One more than is wanted, to see whether there are more.
pub(super) fn beyond(limit: u32) -> i64 {
    i64::from(limit) + 1
}
