//! Texts of definitions, which are kept in great number: a short one has no memory of its own, and long ones that are equal share theirs.

use std::fmt;
use std::marker::PhantomData;
use std::str::FromStr;

use ecow::EcoString;
use foldhash::HashSet;
use serde::de::{Deserializer, Error, Visitor};

/// A text of a definition: cheap to clone, and of up to 15 bytes without memory of its own.
pub type Text = EcoString;

/// The long texts that are in memory already: a hundred thousand tokens name a few issuers.
#[derive(Debug, Default)]
pub struct Texts(HashSet<Text>);

/// What consists of one text.
pub(super) trait HasText {
    fn text_mut(&mut self) -> &mut Text;
}

impl HasText for Text {
    fn text_mut(&mut self) -> &mut Text {
        self
    }
}

impl Texts {
    /// Makes `text` share the memory of an equal one that was here before.
    pub(super) fn share(&mut self, own: &mut impl HasText) {
        let text = own.text_mut();
        if text.is_inline() {
            return;
        }
        match self.0.get(text.as_str()) {
            Some(known) => *text = known.clone(),
            None => {
                self.0.insert(text.clone());
            }
        }
    }
}

/// Reads what is written as a text, without a copy of the text.
pub(super) fn parse<'de, T, D>(deserializer: D) -> Result<T, D::Error>
where
    T: FromStr<Err: fmt::Display>,
    D: Deserializer<'de>,
{
    deserializer.deserialize_str(Parse(PhantomData))
}

struct Parse<T>(PhantomData<T>);

impl<T: FromStr<Err: fmt::Display>> Visitor<'_> for Parse<T> {
    type Value = T;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a string")
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<T, E> {
        text.parse().map_err(E::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_that_are_equal_share_their_memory() {
        let mut texts = Texts::default();
        let mut read = |text: &str| {
            let mut text = Text::from(text);
            texts.share(&mut text);
            text
        };
        let issuers = ["https://ci.example.com"; 2].map(&mut read);
        assert_eq!(issuers[0].as_ptr(), issuers[1].as_ptr());
        let other = read("https://ci.example.net");
        assert_eq!(
            (other.as_str(), issuers[0].as_str()),
            ("https://ci.example.net", "https://ci.example.com")
        );
        assert!(
            read("short").is_inline() && texts.0.len() == 2,
            "short ones have nothing to share"
        );
    }
}
