//! Lists that mostly have one element.

use std::fmt;
use std::marker::PhantomData;
use std::ops::{Deref, DerefMut};

use serde::de::{SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A list that cannot grow: the usual one element has no memory of its own.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Few<T>(Kept<T>);

#[derive(Clone, Debug, Eq, PartialEq)]
enum Kept<T> {
    /// The usual case.
    One(T),
    /// None, or several.
    Many(Box<[T]>),
}

impl<T> Deref for Few<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        match &self.0 {
            Kept::One(element) => std::slice::from_ref(element),
            Kept::Many(elements) => elements,
        }
    }
}

impl<T> DerefMut for Few<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        match &mut self.0 {
            Kept::One(element) => std::slice::from_mut(element),
            Kept::Many(elements) => elements,
        }
    }
}

impl<T> From<Vec<T>> for Few<T> {
    fn from(elements: Vec<T>) -> Self {
        match <[T; 1]>::try_from(elements) {
            Ok([element]) => Self(Kept::One(element)),
            Err(elements) => Self(Kept::Many(elements.into())),
        }
    }
}

impl<T> FromIterator<T> for Few<T> {
    fn from_iter<I: IntoIterator<Item = T>>(elements: I) -> Self {
        elements.into_iter().collect::<Vec<T>>().into()
    }
}

impl<T: Serialize> Serialize for Few<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (**self).serialize(serializer)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Few<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(Elements(PhantomData))
    }
}

struct Elements<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for Elements<T> {
    type Value = Few<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a sequence")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut sequence: A) -> Result<Few<T>, A::Error> {
        let Some(first) = sequence.next_element()? else { return Ok(Vec::new().into()) };
        let Some(second) = sequence.next_element()? else { return Ok(Few(Kept::One(first))) };
        let mut elements = vec![first, second];
        while let Some(element) = sequence.next_element()? {
            elements.push(element);
        }
        Ok(elements.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_the_list_that_it_was_made_of() {
        for list in [vec![], vec![1], vec![1, 2, 3]] {
            let few = Few::from(list.clone());
            assert_eq!(*few, *list);
            let text = serde_json::to_string(&few).unwrap();
            assert_eq!(text, serde_json::to_string(&list).unwrap());
            assert_eq!(serde_json::from_str::<Few<i32>>(&text).unwrap(), few);
        }
        assert_eq!(Few::from(vec![1]), Few(Kept::One(1)), "without memory of its own");
    }
}
